/** The command's own output, when nobody can take it. */

/**
 * Says once on stderr that stdout cannot be written (a full disk), and ends the command with status
 * 1. The run goes on to its end, because the machine and temporary files must be cleaned up. A
 * reader such as `head` that closes our output early is no error.
 */
export function watchOutput(): void {
  let failed = false;
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE' || failed) return;
    failed = true;
    console.error(`faultline: standard output cannot be written: ${error.message}`);
  });
  // Nothing is left to say it on.
  process.stderr.on('error', () => {});
  process.once('exit', (status) => {
    if (failed && status === 0) process.exitCode = 1;
  });
}
