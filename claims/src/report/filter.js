"use strict";
(() => {
  const rows = Array.from(document.querySelectorAll("#claims tbody tr"));
  const boxes = Array.from(document.querySelectorAll("#filter input[type=checkbox]"));
  const words = document.querySelector("#words");
  const count = document.querySelector("#count");
  const apply = () => {
    const wanted = new Set(boxes.filter((box) => box.checked).map((box) => box.value));
    const text = words.value.normalize("NFKC").trim().toLowerCase();
    let shown = 0;
    for (const row of rows) {
      const fits = wanted.has(row.className) &&
        (text === "" || row.textContent.normalize("NFKC").toLowerCase().includes(text));
      row.hidden = !fits;
      shown += fits ? 1 : 0;
    }
    count.textContent = `${shown}件を表示`;
  };
  boxes.forEach((box) => box.addEventListener("change", apply));
  words.addEventListener("input", apply);
  document.querySelector("#print").addEventListener("click", () => window.print());
  apply();
})();
