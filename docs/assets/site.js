// What the theme leaves out for a keyboard and a screen reader: one landmark for the navigation, tables that scroll.
const mend = () => {
  for (const nav of document.querySelectorAll(".md-nav .md-nav, .md-code__nav")) {
    nav.setAttribute("role", "none")
    for (const name of ["aria-label", "aria-labelledby", "aria-expanded"]) nav.removeAttribute(name)
  }
  for (const table of document.querySelectorAll(".md-typeset__scrollwrap")) {
    table.tabIndex = table.scrollWidth > table.clientWidth ? 0 : -1
  }
}
new MutationObserver(mend).observe(document.body, { childList: true, subtree: true })
addEventListener("resize", mend)
mend()
