// Writes the codes and reasons into the files of the clients.
import { apart, comment, description, pascalCase, reasons, spread, writeRegion } from './source.mjs';

const sidecar = reasons.filter(({ layer }) => layer !== 'client');
const found = reasons.filter(({ layer }) => layer === 'client');

/** Columns of equal width, as gofmt aligns them. */
function aligned(pairs, separator) {
  const width = Math.max(...pairs.map(([left]) => left.length));
  return pairs.map(([left, right]) => `\t${left.padEnd(width)}${separator}${right}`);
}

function writeGo() {
  const documented = (name, text, constant) => [
    ...comment('\t//', `${name}${text}`, 118),
    `\t${name} ${constant}`,
  ];
  const codes = spread.flatMap(({ name, number, sentence }) =>
    documented(pascalCase(name), `: ${sentence}`, `Code = ${number}`),
  );
  writeRegion('clients/go/codes.go', 'codes', '\t//', apart(codes));
  const names = spread.map(({ name }) => [`${pascalCase(name)}:`, `"${name}",`]);
  writeRegion('clients/go/codes.go', 'names', '\t//', aligned(names, ' '));

  const error = ({ name }, text) => documented(`Err${pascalCase(name)}`, text, `Reason = "${name}"`);
  const own = (rows) => apart(rows.flatMap((row) => error(row, ` (${row.status}): ${description(row)}`)));
  const raised = spread.filter((code) => code.raised !== false);
  const errors = raised.flatMap((code) => error(code, `: ${code.sentence}`));
  writeRegion('clients/go/reasons.go', 'codes', '\t//', apart(errors));
  writeRegion('clients/go/reasons.go', 'client reasons', '\t//', own(found));
  writeRegion('clients/go/reasons.go', 'reasons', '\t//', own(sidecar));
}

function writeRust() {
  const documented = (text, variant) => [...comment('    ///', text, 118), `    ${variant},`];
  const table = (type, rows) => [
    `const NAMES: [(${type}, &str); ${rows.length}] = [`,
    ...rows.map(({ name }) => `    (${type}::${pascalCase(name)}, "${name}"),`),
    '];',
  ];
  const codes = spread.flatMap(({ name, number, sentence }) =>
    documented(sentence, `${pascalCase(name)} = ${number}`),
  );
  writeRegion('clients/rust/src/code.rs', 'codes', '    //', codes);
  writeRegion('clients/rust/src/code.rs', 'names', '//', table('Code', spread));
  const all = [...sidecar, ...found];
  const variants = all.flatMap((reason) =>
    documented(`${reason.status}: ${description(reason)}`, pascalCase(reason.name)),
  );
  writeRegion('clients/rust/src/reason.rs', 'reasons', '    //', variants);
  writeRegion('clients/rust/src/reason.rs', 'names', '//', table('Reason', all));
}

function writeJava() {
  const file = 'clients/java/src/main/java/org/spreadsidecar/client/Spread.java';
  const constants = spread.flatMap(({ name, number, sentence }) => [
    '',
    `  /** ${sentence} */`,
    `  public static final int ${name} = ${number};`,
  ]);
  writeRegion(file, 'codes', '  //', [...constants, '']);
  writeRegion(
    file,
    'names',
    '    //',
    spread.map(({ name }) => `    errors.put("${name}", ${name});`),
  );
}

function writePython() {
  const constants = spread.flatMap(({ name, number, sentence }) => [
    `#: ${sentence}`,
    `${name}: Final = ${number}`,
  ]);
  writeRegion('clients/python/src/spread_sidecar/constants.py', 'codes', '#', apart(constants));
  const names = spread.map(({ name }) => `    "${name}",`);
  writeRegion('clients/python/src/spread_sidecar/error_codes.py', 'names', '    #', names);
}

function writeTypescript() {
  const constants = spread.flatMap(({ name, number, sentence }) => [
    `/** ${sentence} */`,
    `export const ${name} = ${number};`,
  ]);
  writeRegion('clients/typescript/src/constants.ts', 'codes', '//', apart(constants));
  const names = spread.map(({ name }) => `  ${name}: c.${name},`);
  writeRegion('clients/typescript/src/error-codes.ts', 'names', '  //', names);
}

export function writeClients() {
  writeGo();
  writeRust();
  writeJava();
  writePython();
  writeTypescript();
}
