/**
 * One thing to try: a few pieces of bytes. What a piece is, the target says: a write to a socket, a message of a call, a
 * line of text. Where a target reads a stream, the pieces are its cuts.
 */
export type Input = readonly Buffer[];

/** A text, one piece a line: printable ones as JSON strings, others in hex. Lines that begin with # are for people. */
export function formatInput(input: Input, comments: readonly string[] = []): string {
  const lines = [
    ...comments.map((comment) => `# ${comment.replaceAll('\n', ' ')}`),
    ...input.map(formatPiece),
  ];
  return `${lines.join('\n')}\n`;
}

/** Reads what formatInput wrote. */
export function parseInput(text: string): Buffer[] {
  return text
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) =>
      line.startsWith('"')
        ? Buffer.from(JSON.parse(line) as string, 'utf8')
        : Buffer.from(line.slice(4), 'hex'),
    );
}

/** The value of a comment `# name: value`. */
export function commentOf(text: string, name: string): string | undefined {
  const start = `# ${name}: `;
  return text
    .split('\n')
    .find((line) => line.startsWith(start))
    ?.slice(start.length);
}

function formatPiece(piece: Buffer): string {
  const text = piece.toString('utf8');
  const printable = /^[\x20-\x7e\n\t]*$/.test(text) && text.length === piece.length;
  return printable ? JSON.stringify(text) : `hex:${piece.toString('hex')}`;
}

export const sizeOf = (input: Input): number => input.reduce((sum, piece) => sum + piece.length, 0);
