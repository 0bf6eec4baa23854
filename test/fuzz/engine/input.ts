/**
 * One input: a few pieces of bytes. The target defines a piece: a write to a socket, a message of a call, or a
 * line of text. For targets that read a stream, the pieces determine where the stream is split.
 */
export type Input = readonly Buffer[];

/**
 * An input as text, one piece per line: printable pieces as JSON strings, others in hex. Lines that begin with #
 * are comments.
 */
export function formatInput(input: Input, comments: readonly string[] = []): string {
  const lines = [
    ...comments.map((comment) => `# ${comment.replaceAll('\n', ' ')}`),
    ...input.map(formatPiece),
  ];
  return `${lines.join('\n')}\n`;
}

/** Parses the output of formatInput. */
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
