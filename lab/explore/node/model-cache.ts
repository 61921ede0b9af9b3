/**
 * The compiled model of an installation, kept in the user's cache folder under a hash of what it
 * was made of: compiling takes a second at each start, and would add a tenth to the package.
 *
 * Guarantees: what is read is what was written under this hash, whole; a folder that cannot be read
 * or written is as if it were empty. In a checkout that runs from its sources nothing is kept.
 */
import { createHash } from 'node:crypto';
import {
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { ModelCache } from '../build/toolchain.ts';
import { sourcesHash } from './project-sources.ts';

/** Models that are kept: of the last few versions. */
const KEPT = 4;
const PREFIX = 'explore-model-';

/** null where nothing is kept. */
export function modelCache(): ModelCache | null {
  const key = sourcesHash();
  if (key === '') return null;
  const folder = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'faultline');
  const path = join(folder, `${PREFIX}${key}.json`);
  return {
    read: () => quietly(() => checked(readFileSync(path, 'utf8'))),
    write: (text) => {
      quietly(() => {
        mkdirSync(folder, { recursive: true, mode: 0o700 });
        const temporary = `${path}.${process.pid}.tmp`;
        writeFileSync(temporary, hashOf(text) + text, { mode: 0o600 });
        renameSync(temporary, path);
        removeOld(folder);
      });
    },
  };
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** The text after its hash; null when it is not what was written. */
function checked(contents: string): string | null {
  const text = contents.slice(64);
  return hashOf(text) === contents.slice(0, 64) ? text : null;
}

function removeOld(folder: string): void {
  const ages = readdirSync(folder)
    .filter((name) => name.startsWith(PREFIX))
    .map((name) => ({ path: join(folder, name), ageMs: statSync(join(folder, name)).mtimeMs }))
    .sort((one, other) => other.ageMs - one.ageMs);
  for (const { path } of ages.slice(KEPT)) rmSync(path, { force: true });
}

function quietly<Result>(work: () => Result): Result | null {
  try {
    return work();
  } catch {
    return null;
  }
}
