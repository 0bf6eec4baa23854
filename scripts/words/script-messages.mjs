// The string literals of TypeScript and JavaScript, with their start lines.
import ts from 'typescript';

const isSum = (node) => ts.isBinaryExpression(node) && node.operatorToken.kind === ts.SyntaxKind.PlusToken;
const isText = (node) =>
  ts.isStringLiteralLike(node) ||
  ts.isTemplateExpression(node) ||
  (isSum(node) && [node.left, node.right].some(isText));

/** The text of a literal, with a code span for each value in it. `visitValue` gets the values, which may contain messages too. */
function textOf(node, visitValue) {
  if (ts.isStringLiteralLike(node)) return node.text;
  if (isSum(node)) return textOf(node.left, visitValue) + textOf(node.right, visitValue);
  if (ts.isTemplateExpression(node))
    return node.templateSpans.reduce(
      (text, span) => text + textOf(span.expression, visitValue) + span.literal.text,
      node.head.text,
    );
  visitValue(node);
  return '`value`';
}

export function messagesOf(text, name) {
  const source = ts.createSourceFile(name, text, ts.ScriptTarget.Latest);
  const found = [];
  const visit = (node) => {
    if (!isText(node)) ts.forEachChild(node, visit);
    else
      found.push({
        message: textOf(node, visit),
        line: source.getLineAndCharacterOfPosition(node.getStart(source)).line + 1,
      });
  };
  visit(source);
  return found;
}
