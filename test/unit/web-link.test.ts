/** Goal: a link carries the page's state, and no link breaks the page. Method: there and back. */
import { describe, expect, it } from 'vitest';
import {
  BOOT_CHOICES,
  BOOT_DEFAULTS,
  bootSettings,
  readLink,
  sameBoot,
  writeLink,
} from '../../web/core/link.ts';
import type { BootKey, PageState } from '../../web/core/link.ts';

const plain: PageState = readLink('');

describe('a link', () => {
  it('without anything is the default page', () => {
    expect(plain).toEqual({
      view: 'machine',
      boot: BOOT_DEFAULTS,
      ...{ program: '', args: '', lesson: '', answers: false, embed: false },
    });
    expect(writeLink(plain)).toBe('#view=machine');
  });

  it('brings every choice of the form back', () => {
    for (const key of Object.keys(BOOT_CHOICES) as BootKey[]) {
      for (const value of BOOT_CHOICES[key]) {
        const state = { ...plain, boot: { ...BOOT_DEFAULTS, [key]: value } };
        const back = readLink(writeLink(state));
        expect(back).toEqual(state);
        expect(sameBoot(back.boot, plain.boot)).toBe(value === BOOT_DEFAULTS[key]);
      }
    }
  });

  it('brings texts and switches back, whatever is in them', () => {
    const args = '[{"file":"a&b=c#d %20"}]';
    const texts = { program: 'grind', args, lesson: 'lazy-allocation' };
    const state: PageState = { ...plain, ...texts, view: 'space', answers: true, embed: true };
    expect(readLink(writeLink(state))).toEqual(state);
  });

  it.each(['#view=nothing&memory=9TiB&cpus=-1', '#%%%', '#view', '#view=constructor', '#a=b&&&='])(
    '%s is the default page',
    (fragment) => expect(readLink(fragment)).toEqual(plain),
  );

  it('takes what is no choice from the settings that it is based on', () => {
    const base = { ...BOOT_DEFAULTS, memory: '1MiB' };
    const settings = bootSettings((key) => (key === 'cpus' ? '4' : 'junk'), base);
    expect(settings).toEqual({ ...base, cpus: '4' });
  });
});
