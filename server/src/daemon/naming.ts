/**
 * A private name for a client without one, in Spread's form `r<0..9998>-<number>` truncated to 9 characters
 * (Spread 5.0.1, transcript 03-handshake-no-name). Real Spread's number is the file descriptor. Here it is any
 * number that differs between sessions.
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
 * First word of every group ID of a daemon: a hash of its name, like that of a real daemon with the same name
 * ('localhost' gives 482711334). Like Spread, avoids 0 and 0xffffffff.
 */
export function daemonId(name: string): number {
  let hash = name.length + 1;
  for (let i = 0; i <= name.length; i++) {
    // The final NUL counts. Names are ASCII, so the sign of Spread's bytes does not matter.
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
