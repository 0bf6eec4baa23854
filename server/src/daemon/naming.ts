/**
 * A private name for a client that did not bring one, in Spread's form `r<0..9998>-<number>` cut to 9 characters
 * (Spread 5.0.1, transcript 03-handshake-no-name). Real Spread's number is the file descriptor; here it is any
 * number that differs from session to session.
 */
export function inventName(
  number: number,
  isTaken: (name: string) => boolean,
  random: () => number = Math.random,
): string {
  const start = Math.floor(random() * 9999);
  for (let n = 0; ; n++) {
    const name = `r${(start + n) % 9999}-${number}`.slice(0, 9);
    if (!isTaken(name)) return name;
  }
}

/**
 * First word of every group id of a daemon: a hash of its name, so that ids look like those of a real daemon of
 * that name ('localhost' gives 482711334). 0 and 0xffffffff are avoided as Spread avoids them.
 */
export function daemonId(name: string): number {
  let hash = name.length + 1;
  for (let i = 0; i <= name.length; i++) {
    // The closing NUL counts; names are ASCII, so the signedness of Spread's bytes never shows.
    hash = (hash + (i < name.length ? name.charCodeAt(i) : 0)) | 0;
    hash = (hash + (hash << 10)) | 0;
    hash ^= hash >>> 6;
  }
  hash = (hash + (hash << 3)) | 0;
  hash ^= hash >>> 11;
  hash = (hash + (hash << 15)) | 0;
  const id = hash >>> 0;
  return id === 0 || id === 0xffffffff ? 1 : id;
}
