/**
 * A reclaim policy of one's own: aging, the textbook's approximation of LRU (docs/swap.md). Each
 * page has a byte whose highest bit says whether it was used since the last look, the next one
 * whether it was in the period before, and so on. The pages with the smallest bytes go.
 */
import type { ReclaimPolicy } from 'faultline/kernel';

const ages = new Map<string, number>();

const aging: ReclaimPolicy = {
  name: 'aging',
  choose(candidates, wanted) {
    const seen = candidates.map(({ space, vpn, accessed }) => {
      const key = `${space}/${vpn}`;
      const age = ((ages.get(key) ?? 0xff) >> 1) | (accessed ? 0x80 : 0);
      return { key, age };
    });
    // What is not resident any more is forgotten.
    ages.clear();
    for (const { key, age } of seen) ages.set(key, age);
    const order = seen.map((_, index) => index);
    order.sort((left, right) => (seen[left]?.age ?? 0) - (seen[right]?.age ?? 0));
    const evict = order.slice(0, wanted);
    const gone = new Set(evict);
    const age = order.filter((index) => candidates[index]?.accessed && !gone.has(index));
    return { evict, age };
  },
};

export default aging;
