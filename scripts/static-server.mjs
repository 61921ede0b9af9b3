/**
 * A static file server with the two headers that make a page cross-origin isolated. Browsers hide
 * SharedArrayBuffer from every other page. For development and the browser tests.
 */
import { createReadStream, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join, normalize, sep } from 'node:path';

const contentTypes = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json',
  '.map': 'application/json',
  '.mjs': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.wasm': 'application/wasm',
};

const headers = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
  'Cross-Origin-Resource-Policy': 'same-origin',
};

/** A chunk's name changes with its contents, and each Worker of a machine asks for it anew. */
function cacheControl(file) {
  return /[/\\]chunk-[A-Z0-9]{8}\.js$/.test(file) ? 'private, max-age=60' : 'no-store';
}

/** The file that `urlPath` names, or undefined; never one outside `root`. */
function findFile(root, urlPath) {
  let path;
  try {
    path = normalize(join(root, decodeURIComponent(urlPath)));
  } catch {
    return undefined;
  }
  const base = normalize(root).endsWith(sep) ? normalize(root) : normalize(root) + sep;
  if (!`${path}${sep}`.startsWith(base) || path.includes('\0')) return undefined;
  for (const candidate of [path, join(path, 'index.html')]) {
    if (statSync(candidate, { throwIfNoEntry: false })?.isFile()) return candidate;
  }
  return undefined;
}

/**
 * Serves the files under `root` on the loopback interface; port 0 takes any free one.
 * Resolves to the address and a function that ends the server and its connections.
 */
export function startStaticServer({ root, port = 0, host = '127.0.0.1' }) {
  const server = createServer((request, response) => {
    const file = findFile(root, new URL(request.url ?? '/', 'http://localhost').pathname);
    if (file === undefined) {
      response.writeHead(404, { ...headers, 'Content-Type': 'text/plain' }).end('Not found\n');
      return;
    }
    const type = contentTypes[extname(file)] ?? 'application/octet-stream';
    const caching = { 'Cache-Control': cacheControl(file) };
    response.writeHead(200, { ...headers, ...caching, 'Content-Type': type });
    createReadStream(file)
      .on('error', () => response.destroy())
      .pipe(response);
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      const close = () =>
        new Promise((closed) => {
          server.close(() => closed());
          server.closeAllConnections();
        });
      const name = host.includes(':') ? `[${host}]` : host;
      resolve({ url: `http://${name}:${server.address().port}/`, close });
    });
  });
}
