/**
 * The state of the page that a link carries, in its fragment: `#view=memory&memory=64MiB&cpus=2`.
 * What has its default is left out. Reading never fails: what is not understood is the default.
 */
import { FLUSH_POLICIES, PROTOCOL_NAMES } from '../../kernel/index.ts';
import { FAULT_MODES } from '../../shared/wire.ts';

const VIEWS = ['machine', 'memory', 'space', 'programs', 'charts', 'lessons'] as const;
export type ViewName = (typeof VIEWS)[number];

/** Sizes that the page offers: a tab has less memory than a server. */
const MEMORY_SIZES = ['1MiB', '4MiB', '16MiB', '64MiB', '256MiB'] as const;
const SWAP_SIZES = ['0', '4MiB', '16MiB', '64MiB'] as const;
const CPU_COUNTS = ['1', '2', '3', '4', '6', '8'] as const;
const CHECKS = ['no', 'yes'] as const;

/** What the machine boots with, as texts of the form. */
export const BOOT_CHOICES: {
  readonly memory: readonly string[];
  readonly cpus: readonly string[];
  readonly protocol: readonly string[];
  readonly shootdown: readonly string[];
  readonly faults: readonly string[];
  readonly swap: readonly string[];
  readonly checked: readonly string[];
} = {
  memory: MEMORY_SIZES,
  cpus: CPU_COUNTS,
  protocol: PROTOCOL_NAMES,
  shootdown: FLUSH_POLICIES,
  faults: FAULT_MODES,
  swap: SWAP_SIZES,
  checked: CHECKS,
};
export type BootKey = keyof typeof BOOT_CHOICES;
export type BootSettings = Readonly<Record<BootKey, string>>;

export const BOOT_DEFAULTS: BootSettings = {
  memory: '16MiB',
  cpus: '2',
  protocol: 'rcu',
  shootdown: 'batched',
  faults: 'local',
  swap: '0',
  checked: 'no',
};

export interface PageState {
  readonly view: ViewName;
  readonly boot: BootSettings;
  /** A built-in program that is started after boot, '' for none. */
  readonly program: string;
  /** Its argument as JSON, '' for none. */
  readonly args: string;
  /** The open lesson, '' for none. */
  readonly lesson: string;
  /** The teacher's page: answers are shown. */
  readonly answers: boolean;
  /** In an iframe: nothing around the view. */
  readonly embed: boolean;
}

const bootKeys = Object.keys(BOOT_DEFAULTS) as BootKey[];

function oneOf<Choice extends string>(
  text: string | null,
  choices: readonly Choice[],
  absent: Choice,
): Choice {
  return choices.find((choice) => choice === text) ?? absent;
}

/** The settings in `given`, the others from `base`; what is no choice is ignored. */
export function bootSettings(
  given: (key: BootKey) => string | null,
  base: BootSettings = BOOT_DEFAULTS,
): BootSettings {
  const entries = bootKeys.map((key) => [key, oneOf(given(key), BOOT_CHOICES[key], base[key])]);
  return Object.fromEntries(entries) as BootSettings;
}

export function sameBoot(a: BootSettings, b: BootSettings): boolean {
  return bootKeys.every((key) => a[key] === b[key]);
}

/** The state in a link's fragment, with or without '#'. */
export function readLink(fragment: string): PageState {
  const given = new URLSearchParams(fragment.replace(/^#/, ''));
  return {
    view: oneOf(given.get('view'), VIEWS, 'machine'),
    boot: bootSettings((key) => given.get(key)),
    program: given.get('program') ?? '',
    args: given.get('args') ?? '',
    lesson: given.get('lesson') ?? '',
    answers: given.get('answers') === '1',
    embed: given.get('embed') === '1',
  };
}

/** The fragment that carries the state, with '#'. */
export function writeLink({ view, boot, answers, embed, ...texts }: PageState): string {
  const link = new URLSearchParams({ view });
  for (const key of bootKeys) {
    if (boot[key] !== BOOT_DEFAULTS[key]) link.set(key, boot[key]);
  }
  for (const [key, text] of Object.entries(texts)) if (text !== '') link.set(key, text);
  if (answers) link.set('answers', '1');
  if (embed) link.set('embed', '1');
  return `#${link}`;
}
