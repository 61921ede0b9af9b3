/** The conversions between bytes and pages, which must be exact beyond 32 bits. */
import { describe, expect, it } from 'vitest';
import { PAGE_SIZE, USER_PAGES, USER_SPACE_END } from '../../shared/limits.ts';
import * as units from '../../shared/units.ts';

describe('units', () => {
  it('convert addresses and pages exactly up to the end of user space', () => {
    for (const vpn of [0, 1, 2 ** 20, USER_PAGES - 1]) {
      const address = units.addressOf(vpn);
      expect(address).toBe(Number(BigInt(vpn) * BigInt(PAGE_SIZE)));
      expect(units.vpnOf(address)).toBe(vpn);
      expect(units.vpnOf(address + PAGE_SIZE - 1)).toBe(vpn);
    }
    expect(units.vpnOf(USER_SPACE_END)).toBe(USER_PAGES);
    expect(units.objectPageOf(USER_SPACE_END - 1)).toBe(USER_PAGES - 1);
  });

  it('round lengths as their names say', () => {
    expect([0, 1, PAGE_SIZE, PAGE_SIZE + 1].map(units.pagesOf)).toEqual([0, 1, 1, 2]);
    expect([0, 1, PAGE_SIZE, 2 * PAGE_SIZE - 1].map(units.fullPagesOf)).toEqual([0, 0, 1, 1]);
    expect([0, 1, PAGE_SIZE].map(units.roundUpToPages)).toEqual([0, PAGE_SIZE, PAGE_SIZE]);
    expect(units.bytesOf(2 ** 30)).toBe(2 ** 42);
  });
});
