document.addEventListener("DOMContentLoaded", () => {
  // Copying: what is copied is what is shown.
  const said = document.createElement("p");
  said.className = "unseen";
  said.setAttribute("role", "status");
  document.querySelector("main").append(said);
  const copy = async (code) => {
    try {
      await navigator.clipboard.writeText(code.textContent);
      return true;
    } catch {
      getSelection().selectAllChildren(code);
      return document.execCommand("copy");
    }
  };
  for (const button of document.querySelectorAll("button.copy")) {
    button.hidden = false;
    button.addEventListener("click", async () => {
      const copied = await copy(button.parentElement.querySelector("code"));
      button.textContent = copied ? "Copied" : "Selected";
      button.classList.toggle("done", copied);
      said.textContent = copied ? "Copied" : "Not copied: the command is selected, copy it with the keyboard";
      setTimeout(() => { button.textContent = "Copy"; button.classList.remove("done"); said.textContent = ""; }, 2500);
    });
  }

  // The reader's own time beside UTC, where it differs.
  for (const observed of document.querySelectorAll(".observed")) {
    const at = new Date(observed.querySelector("time").dateTime);
    if (at.getTimezoneOffset()) observed.append(` · ${at.toLocaleString([], { dateStyle: "short", timeStyle: "short" })} here`);
  }
});
