/** The machine: what it boots with, its CPUs, its processes, its counters and its log. */
import { cpuCounters, dmesgLines, frameUsage } from '../../kernel/index.ts';
import { choice, el, fill, row, say, table } from '../core/dom.ts';
import { BOOT_CHOICES, bootSettings } from '../core/link.ts';
import type { BootKey, PageState } from '../core/link.ts';
import type { Session } from '../core/session.ts';
import { TEXT_MS, throttle } from '../core/view.ts';
import type { Page, View } from '../core/view.ts';
import { counted } from './numbers.ts';
import { cpuRows, processRows } from '../read/processes.ts';
import type { CpuRow, ProcessRow } from '../read/processes.ts';

const bootLabels: Readonly<Record<BootKey, string>> = {
  memory: 'Memory',
  cpus: 'CPUs',
  protocol: 'Locking protocol',
  shootdown: 'TLB flushes',
  faults: 'Faults resolved',
  swap: 'Swap store',
  checked: 'Checked',
};
const LOG_LINES = 200;

interface Hits {
  readonly hits: number;
  readonly misses: number;
}

function numberText(value: number): string {
  return value.toLocaleString('en');
}

export class MachineView implements View {
  readonly name = 'machine';
  readonly title = 'Machine';
  readonly element: HTMLElement;
  readonly update: (nowMs: number) => void;
  readonly #page: Page;
  readonly #inputs = new Map<BootKey, HTMLSelectElement>();
  readonly #cpus = el('div', { class: 'cards' });
  readonly #processes = table('Processes', [
    ...['pid', 'name', 'state', 'CPU', 'resident pages', 'tables', 'faults', 'TLB hits'],
  ]);
  readonly #counters = table('Counters', ['what', 'count']);
  readonly #log = el('pre', { tabindex: 0, 'aria-label': 'Kernel log', class: 'log' });
  readonly #summary = el('p', { class: 'hint' });
  #session: Session | null = null;
  /** TLB counters of each process at the last look, for the rate since then. */
  #before = new Map<number, Hits>();

  constructor(page: Page) {
    this.#page = page;
    this.update = throttle(TEXT_MS, () => this.#refresh());
    this.element = el(
      'section',
      { 'aria-label': 'Machine', class: 'columns' },
      el(
        'div',
        { class: 'wide' },
        ...[el('h2', {}, 'CPUs'), this.#summary, this.#cpus],
        ...[el('h2', {}, 'Processes'), this.#processes.element],
        ...[el('h2', {}, 'Kernel log'), this.#log],
      ),
      el('div', {}, this.#form(), el('h2', {}, 'Counters'), this.#counters.element),
    );
  }

  attach(session: Session | null): void {
    this.#session = session;
    this.#before.clear();
    if (session !== null) this.#refresh();
  }

  onState({ boot }: PageState): void {
    for (const [key, input] of this.#inputs) input.value = boot[key];
  }

  #form(): HTMLElement {
    const form = el('form', { class: 'boot' }, el('h2', {}, 'Boot'));
    for (const key of Object.keys(bootLabels) as BootKey[]) {
      const { element, input } = choice(
        bootLabels[key],
        BOOT_CHOICES[key],
        this.#page.state.boot[key],
      );
      this.#inputs.set(key, input);
      form.append(element);
    }
    form.append(el('button', { type: 'submit', class: 'main' }, 'Boot this machine'));
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      void this.#page.reboot(bootSettings((key) => this.#inputs.get(key)?.value ?? null));
    });
    return form;
  }

  #refresh(): void {
    const session = this.#session;
    if (session === null) return;
    const { machine } = session;
    const processes = processRows(machine);
    const { total, used, tables } = frameUsage(machine);
    say(
      this.#summary,
      `Booted in ${Math.round(session.bootMs)} ms. ${numberText(used)} of ${numberText(total)} ` +
        `frames in use, ${numberText(tables)} of them page tables.`,
    );
    const cards = cpuRows(machine, Number(session.settings.cpus)).map((cpu) =>
      this.#card(cpu, processes),
    );
    fill(this.#cpus, ...cards);
    this.#before = new Map(
      processes.map(({ pid, tlbHits, tlbMisses }) => [pid, { hits: tlbHits, misses: tlbMisses }]),
    );
    fill(this.#processes.body, ...processes.map((process) => this.#processRow(process)));
    const counters = Object.entries(cpuCounters(machine));
    fill(
      this.#counters.body,
      ...counters.map(([name, count]) => row(words(name), numberText(count))),
    );
    this.#refreshLog(dmesgLines(machine).slice(-LOG_LINES).join('\n'));
  }

  #refreshLog(text: string): void {
    const log = this.#log;
    if (log.textContent === text) return;
    const isAtEnd = log.scrollTop + log.clientHeight >= log.scrollHeight - 4;
    log.textContent = text;
    if (isAtEnd) log.scrollTop = log.scrollHeight;
  }

  #processRow(process: ProcessRow): HTMLTableRowElement {
    const { pid, name, state, cpu, resident, tables, faultsMinor, faultsMajor } = process;
    const open = el('button', { type: 'button', class: 'link' }, String(pid));
    open.setAttribute('aria-label', `Address space of process ${pid}`);
    open.addEventListener('click', () => this.#page.showPage(pid, 0));
    return row(
      open,
      name,
      state,
      cpu === 0 || cpu > 200 ? '–' : String(cpu),
      numberText(resident),
      numberText(tables),
      numberText(faultsMinor + faultsMajor),
      rateText(process.tlbHits, process.tlbMisses),
    );
  }

  #card(cpu: CpuRow, processes: readonly ProcessRow[]): HTMLElement {
    const own = processes.filter((process) => process.cpu === cpu.id && process.state !== 'ended');
    let hits = 0;
    let misses = 0;
    for (const { pid, tlbHits, tlbMisses } of own) {
      const before = this.#before.get(pid) ?? { hits: 0, misses: 0 };
      hits += tlbHits - before.hits;
      misses += tlbMisses - before.misses;
    }
    const live = processes.find(({ space }) => space !== 0 && space === cpu.space);
    const what =
      cpu.mode === 'user' && live !== undefined
        ? `runs ${live.name} (${live.pid})`
        : own.length === 0
          ? 'nothing to run'
          : `${counted(own.length, 'process', 'processes')}: ` +
            own
              .slice(0, 3)
              .map(({ name, pid }) => `${name} (${pid})`)
              .join(', ') +
            (own.length > 3 ? ', …' : '');
    return el(
      'div',
      { class: `card mode-${cpu.mode}` },
      el('h3', {}, cpu.id === 0 ? 'CPU 0, the kernel worker' : `CPU ${cpu.id}`),
      el('p', { class: 'mode' }, cpu.mode),
      el('p', {}, cpu.id === 0 ? 'files, devices, reclaim' : what),
      el(
        'p',
        { class: 'hint' },
        `${counted(cpu.stat('kernelEntries'), 'kernel entry', 'kernel entries')}, ` +
          counted(cpu.stat('faultsMinor') + cpu.stat('faultsMajor'), 'fault') +
          (cpu.id === 0 ? '' : `, TLB hits ${rateText(hits, misses)}`),
      ),
    );
  }
}

/** Of accesses, the share that found their translation. */
function rateText(hits: number, misses: number): string {
  const all = hits + misses;
  return all <= 0 ? '–' : `${((100 * hits) / all).toFixed(1)} %`;
}

/** 'faultsMinor' as 'faults minor'. */
function words(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}
