// Preloaded into the processes that `npm start` starts: when their parent is gone (killed, not stopped), they stop too.
const parent = process.ppid;
setInterval(() => {
  if (process.ppid !== parent) process.kill(process.pid, "SIGTERM");
}, 500).unref();
