// Uploads: chosen or dropped files go out as raw bodies, two at a time, each with its progress.
"use strict";
(() => {
  const panel = document.getElementById("uploads");
  if (!panel) return;
  const AT_ONCE = 2;
  const prefix = decodeURIComponent(panel.dataset.prefix);
  const sizeMax = Number(panel.dataset.sizeMax);
  const input = document.getElementById("files");
  const folder = document.getElementById("folder");
  const list = panel.querySelector(".transfers");
  const reload = panel.querySelector("[data-reload]");
  const waiting = [];
  let running = 0;
  let failed = 0;
  let finished = 0;

  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  const humanSize = (bytes) => {
    let unit = 0;
    while (bytes >= 1024 && unit < units.length - 1) [bytes, unit] = [bytes / 1024, unit + 1];
    return `${unit ? bytes.toFixed(1) : bytes} ${units[unit]}`;
  };

  function addRow(name) {
    const row = document.createElement("li");
    const label = Object.assign(document.createElement("span"), { className: "transfer-name", textContent: name });
    const bar = Object.assign(document.createElement("progress"), { max: 1, value: 0 });
    bar.setAttribute("aria-label", `Uploading ${name}`);
    const state = Object.assign(document.createElement("span"), { className: "transfer-state", textContent: "waiting" });
    const stop = Object.assign(document.createElement("button"), { type: "button", className: "quiet", textContent: "Stop" });
    row.append(label, bar, state, stop);
    list.append(row);
    return { row, bar, state, stop };
  }

  function send(job) {
    const { row, bar, state, stop } = job.view;
    const request = new XMLHttpRequest();
    running += 1;
    const end = (problem) => {
      running -= 1;
      stop.remove();
      row.classList.add(problem ? "failed" : "done");
      state.textContent = problem || "uploaded";
      if (problem) failed += 1;
      else finished += 1;
      next();
    };
    request.upload.addEventListener("progress", (event) => {
      bar.value = event.total ? event.loaded / event.total : 1;
      state.textContent = event.loaded === event.total ? "storing…" : `${humanSize(event.loaded)} of ${humanSize(event.total)}`;
    });
    request.addEventListener("load", () => {
      if (request.status === 200) return end("");
      let problem = request.status === 403 ? "refused: reload the page and try again" : `failed (${request.status})`;
      try {
        problem = JSON.parse(request.responseText).error;
      } catch {
        // Not an answer of ours: the status says enough.
      }
      end(problem);
    });
    request.addEventListener("error", () => end("the connection broke"));
    request.addEventListener("abort", () => end("stopped"));
    stop.addEventListener("click", () => request.abort());
    request.open("PUT", `${panel.dataset.url}?key=${encodeURIComponent(job.key)}`);
    request.setRequestHeader("X-CSRFToken", panel.dataset.csrf);
    request.setRequestHeader("Content-Type", job.file.type || "application/octet-stream");
    request.send(job.file);
  }

  function next() {
    while (running < AT_ONCE && waiting.length) send(waiting.shift());
    if (running || waiting.length) return;
    removeEventListener("beforeunload", warn);
    if (!failed && finished) location.reload();
    else reload.parentElement.hidden = false;
  }

  const warn = (event) => event.preventDefault();

  // `files` are pairs of a path below the folder and a File.
  function add(files) {
    const below = folder.value.replace(/^\/+/, "");
    const base = prefix + (below && !below.endsWith("/") ? `${below}/` : below);
    addEventListener("beforeunload", warn);
    for (const [path, file] of files) {
      const view = addRow(path);
      if (file.size > sizeMax) {
        failed += 1;
        view.row.classList.add("failed");
        view.state.textContent = `too large for one upload (more than ${humanSize(sizeMax)}): use an S3 client`;
        view.stop.remove();
        continue;
      }
      const job = { key: base + path, file, view };
      view.stop.addEventListener("click", () => {
        const at = waiting.indexOf(job);
        if (at < 0) return;
        waiting.splice(at, 1);
        view.row.remove();
      });
      waiting.push(job);
    }
    next();
  }

  input.addEventListener("change", () => {
    add([...input.files].map((file) => [file.webkitRelativePath || file.name, file]));
    input.value = "";
  });
  document.querySelector("[data-choose-files]")?.addEventListener("click", () => input.click());
  document.querySelector("[data-new-folder]")?.addEventListener("click", () => {
    panel.querySelector(".uploads-to").hidden = false;
    folder.focus();
  });
  folder.addEventListener("keydown", (event) => {
    if (event.key === "Enter") input.click();
  });
  reload.addEventListener("click", () => location.reload());

  // Drag and drop, of folders too: a folder is walked, and its paths become keys.
  async function filesOf(entry, path) {
    if (entry.isFile) return [[path + entry.name, await new Promise((done, fail) => entry.file(done, fail))]];
    const reader = entry.createReader();
    const found = [];
    for (;;) {
      const batch = await new Promise((done, fail) => reader.readEntries(done, fail));
      if (!batch.length) return found;
      for (const child of batch) found.push(...(await filesOf(child, `${path}${entry.name}/`)));
    }
  }

  const zone = document.querySelector("[data-drop]");
  const hasFiles = (event) => event.dataTransfer && [...event.dataTransfer.types].includes("Files");
  let depth = 0;
  addEventListener("dragenter", (event) => {
    if (!hasFiles(event)) return;
    depth += 1;
    zone.classList.add("dropping");
  });
  addEventListener("dragleave", () => {
    depth = Math.max(0, depth - 1);
    if (!depth) zone.classList.remove("dropping");
  });
  addEventListener("dragover", (event) => {
    if (hasFiles(event)) event.preventDefault();
  });
  addEventListener("drop", async (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    depth = 0;
    zone.classList.remove("dropping");
    const items = [...event.dataTransfer.items].filter((item) => item.kind === "file");
    // Both must be asked for before the event is over.
    const dropped = items.map((item) => [item.webkitGetAsEntry?.(), item.getAsFile()]);
    const found = dropped.map(([entry, file]) => (entry?.isDirectory ? filesOf(entry, "") : [[file.name, file]]));
    const files = (await Promise.all(found)).flat();
    if (files.length) add(files);
  });
})();
