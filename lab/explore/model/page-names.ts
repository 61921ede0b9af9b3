/** Pages as scenarios count them. */
import { BASE_VPN } from './kit.ts';

/** Scenarios use pages around BASE; a stack grows below it. */
const BELOW = 1024;
const ABOVE = 2 ** 20;

/** 'page 2', counted from the scenario's first; others by number. */
export function pageName(vpn: number): string {
  const page = vpn - BASE_VPN;
  return page >= -BELOW && page < ABOVE ? `page ${page}` : `page 0x${vpn.toString(16)}`;
}

/** 'page 2' or 'pages 0 to 1023'. */
export function rangeName(vpn: number, pages: number): string {
  if (pages === 1) return pageName(vpn);
  return `${pageName(vpn).replace('page', 'pages')} to ${pageName(vpn + pages - 1).slice(5)}`;
}
