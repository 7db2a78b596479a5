"use strict";
document.documentElement.lang = "en";
document.addEventListener("DOMContentLoaded", () => {
  const make = (name, attributes, ...content) => {
    const element = document.createElement(name);
    Object.entries(attributes).forEach(([key, value]) => element.setAttribute(key, value));
    element.append(...content);
    return element;
  };
  const main = document.getElementById("release");

  // pytest-html's page has no landmarks and puts its own things above ours.
  const title = document.getElementById("title");
  const header = make("header", {});
  document.body.prepend(header);
  header.append(title);
  const [word, ...about] = title.textContent.split(": ");
  if (about.length) {
    title.replaceChildren(
      make("span", { class: "word" }, word), make("span", { class: "unseen" }, ": "),
      make("span", { class: "about" }, about.join(": ")));
  }
  for (const unused of ["environment-header", "environment"]) document.getElementById(unused).hidden = true;
  document.querySelector(".summary__reload")?.remove();
  const written = document.querySelector("body > p");
  written.classList.add("written");
  document.querySelector("footer").prepend(written);

  const table = document.getElementById("results-table");
  table.setAttribute("aria-label", "All checks as pytest saw them");
  const more = make("details", { class: "more" }, make("summary", {}, "pytest's own table, with its logs"));
  more.append(document.querySelector(".controls"), table);
  main.append(more);
  // What is no check (a fixture that broke, a file that could not be loaded) is in that table alone.
  more.open = Boolean(document.querySelector(".other-row, #results-table .outcome-defect"));
  for (const box of document.querySelectorAll("input[name=filter_checkbox]")) {
    const words = box.nextElementSibling;
    words.textContent = words.textContent.replace(/,$/, "");
    box.setAttribute("aria-label", "show rows that pytest calls " + words.textContent);
  }
  for (const head of document.querySelectorAll("th.sortable")) {
    head.tabIndex = 0;
    head.addEventListener("keydown", (event) => { if (event.key === "Enter") head.click(); });
  }
});
