// The time of day as state, for countdowns. Ticks only while somebody needs it.

import { useEffect, useState } from 'react';

export function useNow(active: boolean, everyMs = 250): number {
  const [nowMs, setNowMs] = useState(() => Date.now());
  useEffect(() => {
    if (!active) return undefined;
    setNowMs(Date.now());
    const timer = setInterval(() => setNowMs(Date.now()), everyMs);
    return () => clearInterval(timer);
  }, [active, everyMs]);
  return nowMs;
}
