// How the states of a map are called in the browser: the titles that decam/export/standing.py has.

export const STATES = {
  waiting: "Waiting",
  measuring: "Measuring",
  stopped: "Stopped",
  failed: "Failed",
};
