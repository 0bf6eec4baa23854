/** An error of a system call, as Node reports it. */
type SystemError = Error & { readonly code: string; readonly syscall: string };

const isSystemError = (error: unknown): error is SystemError =>
  error instanceof Error &&
  typeof (error as Partial<SystemError>).code === 'string' &&
  typeof (error as Partial<SystemError>).syscall === 'string';

/**
 * The message for an error of a system call, with the exceeded limit if there is one. Undefined for other errors.
 * Searches the causes of the error too.
 */
export function systemErrorText(error: unknown): string | undefined {
  if (!isSystemError(error))
    return error instanceof Error && error.cause ? systemErrorText(error.cause) : undefined;
  switch (error.code) {
    case 'EMFILE': {
      const limit = openFilesLimit();
      const bound = limit === undefined ? '' : `; this process may open at most ${limit}`;
      return `too many open files and connections (EMFILE, ${error.syscall})${bound}: raise the limit (ulimit -n, or nofile of the container)`;
    }
    case 'ENFILE':
      return `too many open files on this machine (ENFILE, ${error.syscall}): raise the limit fs.file-max of the system`;
    case 'ENOMEM':
    case 'ENOBUFS':
      return `the system has no memory left (${error.code}, ${error.syscall}): raise the memory limit of this process or machine`;
    case 'ENOSPC':
      return `no space left on the device (ENOSPC): ${error.message}`;
    case 'EAGAIN':
      return `the system has no resources left (EAGAIN, ${error.syscall}): raise the limit of processes (ulimit -u, or pids of the container)`;
    default:
      // Node's message has the code, the reason and the path: "EACCES: permission denied, open '/x'".
      return `a system call failed: ${error.message}`;
  }
}

/** The system's limit. Does not open a file, because the process may have no file descriptor left. */
function openFilesLimit(): string | undefined {
  try {
    const report = process.report?.getReport() as
      | { userLimits?: { open_files?: { soft?: number | string } } }
      | undefined;
    const soft = report?.userLimits?.open_files?.soft;
    return soft === undefined ? undefined : String(soft);
  } catch {
    return undefined;
  }
}
