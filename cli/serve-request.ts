/** What the user asked `faultline serve` to do: command line in, checked request out. */
import { HELP_OPTION, describeOptions, parseOptions } from './options.ts';
import type { OptionTable } from './options.ts';
import { UsageError } from './usage-error.ts';

const PORT_DEFAULT = 8080;
const PORT_MAX = 65_535;
const LOOPBACK = '127.0.0.1';

const serveOptions: OptionTable = {
  port: { value: 'N', help: `TCP port, 0 for any free one (${PORT_DEFAULT})` },
  host: { value: 'ADDR', help: `address to listen on, 0.0.0.0 for all (${LOOPBACK})` },
  help: HELP_OPTION,
};

export interface ServeRequest {
  readonly port: number;
  readonly host: string;
}

function serveHelp(): string {
  return `Usage: faultline serve [options]

Serves the lab in the browser, a page that boots machines in the tab, with the headers that make it
cross-origin isolated. Reachable from this computer only, unless --host says otherwise. Ctrl-C ends
it. docs/lab-page.md says what the page shows, and how to put it on a host of your own.

Options (default):
${describeOptions(serveOptions)}

Exit status: 0 ended by Ctrl-C, 1 the page is not there, 2 bad usage, or an address that is taken.`;
}

/** The request, or the help text that was asked for. */
export function parseServe(args: readonly string[]): ServeRequest | string {
  const parsed = parseOptions(args, serveOptions, 'faultline serve');
  if (parsed.has('help')) return serveHelp();
  parsed.refuseArguments('serve');
  const host = parsed.one('host') ?? LOOPBACK;
  if (!/^[\w.:-]+$/.test(host)) {
    throw new UsageError(`--host must be an address such as ${LOOPBACK}, got '${host}'`);
  }
  return { port: parsed.integer('port', PORT_DEFAULT, 0, PORT_MAX), host };
}
