/** Addresses and sizes as the page writes them. */
import { addressOf, bytesOf } from '../../shared/units.ts';
import type { Vpn } from '../../shared/units.ts';

/** The address of a page: 0x7ff0000. */
export function addressText(vpn: Vpn): string {
  return `0x${addressOf(vpn).toString(16)}`;
}

/** '1 page', '2 pages'. */
export function counted(count: number, one: string, many: string = `${one}s`): string {
  return `${count.toLocaleString('en')} ${count === 1 ? one : many}`;
}

const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];

/** Pages as bytes in the unit that suits them: '64 KiB'. */
export function sizeText(pages: number): string {
  let size = bytesOf(pages);
  let unit = 0;
  while (size >= 1024 && unit < units.length - 1) {
    size /= 1024;
    unit++;
  }
  return `${Number(size.toFixed(1))} ${units[unit]}`;
}

/** An address that somebody typed, hexadecimal with 0x or decimal; NaN if it is none. */
export function parseAddress(text: string): number {
  const value = text.trim() === '' ? NaN : Number(text.trim());
  return Number.isInteger(value) && value >= 0 ? value : NaN;
}
