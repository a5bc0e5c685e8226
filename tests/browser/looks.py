"""What can be measured of a page's looks: words that are too faint, targets that are too small, what runs out of it."""

from __future__ import annotations

from playwright.sync_api import Frame, Page

_FAULTS = """
() => {
  const found = new Set();
  const seen = (node) => {
    const box = node.getBoundingClientRect();
    return box.width > 1 && box.height > 1 && node.checkVisibility({ opacityProperty: true, visibilityProperty: true });
  };
  const name = (node) => `${node.tagName.toLowerCase()} "${(node.innerText || node.ariaLabel || '').slice(0, 40)}"`;
  const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  const parts = (colour) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    const [red, green, blue, alpha] = canvas.getImageData(0, 0, 1, 1).data;
    return [red, green, blue, alpha / 255];
  };
  const over = (top, below) => [0, 1, 2].map((at) => top[at] * top[3] + below[at] * (1 - top[3])).concat(1);
  const light = (colour) => {
    const curve = (one) => (one <= 0.04045 ? one / 12.92 : ((one + 0.055) / 1.055) ** 2.4);
    const linear = colour.slice(0, 3).map((one) => curve(one / 255));
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2];
  };
  const words = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (words.nextNode()) {
    const node = words.currentNode.parentElement;
    if (!words.currentNode.data.trim() || !seen(node)) continue;
    if (node.closest("script, style, noscript, :disabled, .unseen")) continue;
    const styles = [];
    for (let one = node; one; one = one.parentElement) styles.push(getComputedStyle(one));
    let below = parts("Canvas");
    for (const { backgroundColor } of styles.toReversed()) below = over(parts(backgroundColor), below);
    const ink = parts(styles[0].color);
    ink[3] *= styles.reduce((product, { opacity }) => product * Number(opacity), 1);
    const [dark, bright] = [light(over(ink, below)), light(below)].sort((a, b) => a - b);
    const contrast = (bright + 0.05) / (dark + 0.05);
    if (contrast < 4.5) found.add(`${name(node)} has a contrast of ${contrast.toFixed(2)}`);
  }
  const pressed = "button, summary, [role=radio]:not(input), label:has(input[type=radio], input[type=checkbox])";
  for (const node of document.querySelectorAll(pressed)) {
    const { width, height } = node.getBoundingClientRect();
    if (seen(node) && Math.min(width, height) < 23.5) found.add(`${name(node)} measures ${width} by ${height}`);
  }
  const { scrollWidth } = document.documentElement;
  if (scrollWidth > innerWidth) found.add(`the page is ${scrollWidth} pixels wide in a window of ${innerWidth}`);
  return [...found];
}
"""


def faults(page: Page | Frame) -> list[str]:
    """What is wrong with a page as it stands, a sentence each.

    Words need 4.5:1 against what they stand on (WCAG 2.2, 1.4.3; disabled controls are exempt there), and what is
    pressed needs 24 by 24 pixels (2.5.8). Nothing may be wider than the window (1.4.10).
    """
    found: list[str] = page.evaluate(_FAULTS)
    return found


_SMALL = """
(least) => {
  const found = new Set();
  const look = (root) => {
    const words = document.createTreeWalker(root, NodeFilter.SHOW_ELEMENT | NodeFilter.SHOW_TEXT);
    while (words.nextNode()) {
      const one = words.currentNode;
      if (one.shadowRoot) look(one.shadowRoot);
      const node = one.parentElement;
      if (one.nodeType !== Node.TEXT_NODE || !one.data.trim() || !node?.checkVisibility()) continue;
      if (node.closest("script, style, noscript, .katex, [data-testid=stIconMaterial], .icon")) continue;
      const size = parseFloat(getComputedStyle(node).fontSize);
      const { width } = node.getBoundingClientRect();
      const name = `${node.tagName.toLowerCase()} "${one.data.trim().slice(0, 40)}"`;
      if (size > 0 && size < least && width > 1) found.add(`${name} is ${size} pixels high`);
    }
  };
  look(document.body);
  return [...found];
}
"""


def small(page: Page, least: float = 13) -> list[str]:
    """The words of a page, those of its components too, that are set in less than `least` pixels; not its formulas."""
    found: list[str] = page.evaluate(_SMALL, least)
    return found


_MOVING = """
() => {
  const found = new Set();
  const look = (root) => {
    for (const node of root.querySelectorAll("*")) {
      if (node.shadowRoot) look(node.shadowRoot);
      const style = getComputedStyle(node);
      const lasting = `${style.transitionDuration}, ${style.animationName === "none" ? "0s" : style.animationDuration}`;
      const longest = Math.max(...lasting.split(", ").map(parseFloat));
      if (longest > 0.001) found.add(`${node.tagName.toLowerCase()}.${node.className} moves for ${longest} s`);
    }
  };
  look(document);
  return [...found];
}
"""


def moving(page: Page) -> list[str]:
    """What of a page, its components too, changes or moves by itself over any time."""
    found: list[str] = page.evaluate(_MOVING)
    return found


_LOOK = """
() => {
  let node = document.activeElement;
  while (node?.shadowRoot?.activeElement) node = node.shadowRoot.activeElement;
  if (!node || node === document.body) return null;
  // A hidden input shows by what stands beside or around it where the keyboard is; a cell shows it within.
  const near = [node];
  for (let one = node, i = 0; i < 5 && one.parentElement; i += 1) near.push((one = one.parentElement));
  const beside = [node, near[1], near[2]].flatMap((one) => [...(one?.children ?? [])]);
  const named = ["outline", "boxShadow", "borderColor", "borderBottomColor", "backgroundColor", "color", "opacity"];
  const of = (style) => named.map((name) => style[name]);
  const look = () => JSON.stringify([...near, ...beside].map((one) => of(getComputedStyle(one))));
  const held = look();
  node.blur();
  const left = look();
  node.focus({ preventScroll: true });
  const name = node.ariaLabel || node.innerText || node.title || node.placeholder || node.id;
  return [`${node.tagName.toLowerCase()} "${name.slice(0, 50)}"`, held !== left];
}
"""


def ringless(page: Page, most: int = 400) -> list[str]:
    """What the Tab key stands on, from the top of a page, and nothing shows it (WCAG 2.2, 2.4.7)."""
    page.evaluate("document.activeElement?.blur()")
    first, found = None, []
    for _ in range(most):
        page.keyboard.press("Tab")
        stand = page.evaluate(_LOOK)
        if stand is None:
            break
        name, shown = stand
        first = first or name
        if not shown and name not in found:
            found.append(name)
    return found
