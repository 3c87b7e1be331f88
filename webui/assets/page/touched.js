// Which fields people were at, also before the page's scripts were there (webui/theme.py notes them).

export const touched = (home) => Array.from(window.steadyTouched).some((element) => home?.contains(element));
