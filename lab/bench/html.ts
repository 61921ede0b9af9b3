export function formatHtml(_d: unknown): string {
  return '';
}
