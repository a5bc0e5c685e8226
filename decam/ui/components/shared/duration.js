// How a stretch of time is written, as decam/durations.py writes it.

/** Seconds (not negative) as 4.0 s, 45 s, 1 min 15 s or 1 h 5 min; halves are rounded up. */
export function durationText(seconds) {
  if (seconds < 0.05) return "under 0.1 s";
  if (seconds < 9.95) return `${(Math.floor(seconds * 10 + 0.5) / 10).toFixed(1)} s`;
  const whole = Math.floor(seconds + 0.5);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  const minutes = Math.floor(seconds / 60 + 0.5);
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
