for (const part of document.querySelectorAll(".audit")) {
  const rows = [...part.querySelectorAll(".rows tbody tr")];
  const [text, outcome, kind] = part.querySelectorAll(".filters input, .filters select");
  const shown = part.querySelector(".shown");
  const words = rows.map((row) => row.textContent.toLowerCase());
  const filter = () => {
    const wanted = text.value.trim().toLowerCase();
    let count = 0;
    rows.forEach((row, number) => {
      const fits = (!wanted || words[number].includes(wanted))
        && (!outcome.value || row.dataset.o === outcome.value)
        && (!kind.value || ` ${row.dataset.k || ""} `.includes(` ${kind.value} `));
      row.hidden = !fits;
      count += fits;
    });
    shown.textContent = `${count} of ${rows.length} ${shown.dataset.what}`;
  };
  for (const control of [text, outcome, kind]) control.addEventListener("input", filter);
  for (const button of part.querySelectorAll("button[data-kind]")) {
    button.hidden = false;
    button.addEventListener("click", () => {
      kind.value = button.dataset.kind;
      filter();
      part.querySelector(".filters").scrollIntoView();
    });
  }
  const svg = part.querySelector("svg");
  if (svg) {
    const under = part.querySelector(".under");
    const at = (event) => {
      const box = svg.getBoundingClientRect();
      return rows[rows.length - 1 - Math.floor((event.clientX - box.left) / box.width * rows.length)];
    };
    svg.addEventListener("mousemove", (event) => {
      const row = at(event);
      if (row) under.textContent = [...row.cells].map((cell) => cell.textContent).filter(Boolean).join(" · ");
    });
    svg.addEventListener("click", (event) => {
      const row = at(event);
      if (row) { row.hidden = false; row.scrollIntoView({ block: "center" }); }
    });
  }
}
