/** `faultline serve`: the lab in the browser, served until Ctrl-C. Returns the exit status. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startStaticServer } from '../scripts/static-server.mjs';
import type { StaticServer } from '../scripts/static-server.mjs';
import { parseServe } from './serve-request.ts';
import type { ServeRequest } from './serve-request.ts';
import { UsageError } from './usage-error.ts';

/** Beside the command, wherever that is installed. */
const root = fileURLToPath(new URL('./web', import.meta.url));

export async function serveCommand(args: readonly string[]): Promise<number> {
  const request = parseServe(args);
  if (typeof request === 'string') {
    console.log(request);
    return 0;
  }
  if (!existsSync(join(root, 'index.html'))) {
    console.error(
      'faultline: this package has no page; build it from the sources: npm run build:web',
    );
    return 1;
  }
  const server = await listen(request);
  console.log(`The lab is at ${server.url}`);
  console.error('Ctrl-C ends it.');
  await new Promise<void>((resolve) => {
    process.once('SIGINT', resolve);
    process.once('SIGTERM', resolve);
  });
  await server.close();
  return 0;
}

async function listen({ port, host }: ServeRequest): Promise<StaticServer> {
  try {
    return await startStaticServer({ root, port, host });
  } catch (error) {
    throw new UsageError(refusal((error as NodeJS.ErrnoException).code ?? '', port, host));
  }
}

/** Why the host refused the address, and what to do. */
function refusal(code: string, port: number, host: string): string {
  switch (code) {
    case 'EADDRINUSE':
      return `port ${port} is taken; choose another with --port, or 0 for any free one`;
    case 'EACCES':
      return `port ${port} needs more rights; choose one from 1024 on with --port`;
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `${host} is no address of this computer; see --host`;
    default:
      return `cannot listen on ${host}, port ${port}: ${code}`;
  }
}
