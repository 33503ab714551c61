// Pages work without this: it only keeps them fresh, and puts what takes longer into them once it is there.
"use strict";

async function part(path) {
  const response = await fetch(path, {headers: {"x-part": "1"}, credentials: "same-origin"});
  if (!response.ok) throw new Error(`${path} answered ${response.status}`);
  return response.text();
}

function show(place, html) {
  const focused = place.contains(document.activeElement) ? document.activeElement.id : "";
  const parsed = new DOMParser().parseFromString(html, "text/html");
  place.replaceChildren(...parsed.body.childNodes);
  if (focused) document.getElementById(focused)?.focus();
}

// Live: the page is asked for again, and shown where it says something else.
function keepFresh(main) {
  let shown = "";
  const look = async () => {
    try {
      if (document.visibilityState === "visible") {
        const html = await part(location.pathname + location.search);
        if (shown && html !== shown) show(main, html);
        shown = html;
        document.body.classList.remove("away");
      }
    } catch {
      // The console was ended, or the machine sleeps: what stands here is of earlier.
      document.body.classList.add("away");
    }
    setTimeout(look, 1000 * main.dataset.live);
  };
  look();
}

async function load(section) {
  section.setAttribute("aria-busy", "true");
  try {
    show(section, await part(section.dataset.load));
  } catch (error) {
    section.append(`It can't be had now: ${error.message}`);
  }
  section.removeAttribute("aria-busy");
}

for (const main of document.querySelectorAll("[data-live]")) keepFresh(main);

for (const section of document.querySelectorAll("[data-load]")) {
  if ("now" in section.dataset) load(section);
  else {
    section.querySelector("a").addEventListener("click", (event) => {
      event.preventDefault();
      section.querySelector("a").textContent = "Computing…";
      load(section);
    });
  }
}

// One click is enough.
for (const form of document.querySelectorAll("form[method=post]")) {
  form.addEventListener("submit", () => {
    for (const button of form.querySelectorAll("button")) {
      button.setAttribute("aria-disabled", "true");
      button.textContent = "Working…";
      button.addEventListener("click", (event) => event.preventDefault());
    }
  });
}
