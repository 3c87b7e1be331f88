// Numbers, times and names as the page writes them.

// A prompt as the name of its job, in a sentence.
export const short = (words) => (words.length > 60 ? `${words.slice(0, 57)} …` : words);

export function ordinal(n) {
  const tens = n % 100;
  if (tens >= 11 && tens <= 13) return `${n}th`;
  return `${n}${{ 1: "st", 2: "nd", 3: "rd" }[n % 10] || "th"}`;
}

export function duration(seconds) {
  if (seconds < 9.95) return `${Math.max(0.1, seconds).toFixed(1)} s`;
  if (seconds < 99.5) return `${Math.round(seconds)} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 100 ? `${minutes} min` : `${Math.round(minutes / 60)} h`;
}

export function gigabytes(bytes) {
  const value = bytes / 2 ** 30;
  return value < 10 ? value.toFixed(1) : String(Math.round(value));
}

// When something was, by the wall clock; the day only where it is not today.
export function clock(at) {
  const when = new Date(at * 1000);
  const time = when.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
  return when.toDateString() === new Date().toDateString() ? time : `${when.toLocaleDateString()} ${time}`;
}

export const plural = (n, one, many) => `${n} ${n === 1 ? one : many}`;
