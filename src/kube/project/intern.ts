import { LargeMap } from '../../core/large-map.ts';

/**
 * Keeps one copy of the strings that most objects repeat: namespaces, Service, node and zone names. JSON.parse makes
 * a new string for every occurrence; 100,000 endpoints name perhaps 1,000 nodes.
 */

export type Intern = (text: string) => string;

/** Forgets everything when `capacity` strings are known, so that churn of names cannot grow it without end. */
export function createIntern(capacity = 65_536): Intern {
  const known = new LargeMap<string>();
  return (text) => {
    const first = known.get(text);
    if (first !== undefined) {
      return first;
    }
    if (known.size >= capacity) {
      known.clear();
    }
    known.set(text, text);
    return text;
  };
}
