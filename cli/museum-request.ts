/** What the user asked `faultline museum` to do: command line in, checked request out. */
import { EXHIBITS } from '../lab/explore/museum/museum.ts';
import { PROTOCOLS } from '../lab/explore/model/index.ts';
import { INTERRUPTED_HELP } from './interruption.ts';
import { HELP_OPTION, JSON_OPTION, describeOptions, parseOptions } from './options.ts';
import type { OptionTable } from './options.ts';
import { requireWritable } from './output-file.ts';
import { UsageError, suggest } from './usage-error.ts';

const museumOptions: OptionTable = {
  list: { help: 'list the exhibits' },
  protocol: { value: 'NAME', help: 'locking protocol (the one in which the exhibit was found)' },
  html: { value: 'FILE', help: "draw the exhibit's failure as a page" },
  json: JSON_OPTION,
  help: HELP_OPTION,
};

export interface MuseumRequest {
  /** Of an exhibit; null for all. */
  readonly name: string | null;
  readonly list: boolean;
  readonly protocol: string | null;
  readonly html: string | null;
  readonly json: boolean;
}

function museumHelp(): string {
  return `Usage: faultline museum [NAME] [options]

Bugs that real kernels had, each as a mutant of this kernel. Explores one exhibit and tells its
story, or all of them in a table. docs/museum.md has them with exercises.

Options (default):
${describeOptions(museumOptions)}

Exit status: 0 each bug was found, and the kernel without it is clean; 1 not so; 2 bad usage.
${INTERRUPTED_HELP}`;
}

/** The request, or the help text that was asked for. */
export function parseMuseum(args: readonly string[]): MuseumRequest | string {
  const parsed = parseOptions(args, museumOptions, 'faultline museum');
  if (parsed.has('help')) return museumHelp();
  const [name = null, second] = parsed.positionals;
  if (second !== undefined) throw new UsageError(`one exhibit at a time, not ${second} too`);
  const names = EXHIBITS.map((exhibit) => exhibit.name);
  if (name !== null && !names.includes(name)) {
    const hint = suggest(name, names) || '; see faultline museum --list';
    throw new UsageError(`no exhibit is called '${name}'${hint}`);
  }
  const protocol = parsed.one('protocol');
  if (protocol !== null && !Object.hasOwn(PROTOCOLS, protocol)) {
    throw new UsageError(`no protocol is called '${protocol}'; one of ${protocols()}`);
  }
  const html = parsed.one('html');
  if (html !== null && name === null) throw new UsageError('--html draws one exhibit: name it');
  if (html !== null) requireWritable('html', html);
  return { name, list: parsed.has('list'), protocol, html, json: parsed.has('json') };
}

function protocols(): string {
  return Object.keys(PROTOCOLS).join(', ');
}
