/** @jsxRuntime automatic */
// Entry of the client bundle: takes over the page that the server rendered, from the same data.
import { hydrateRoot } from "react-dom/client";
import { BOOT_ELEMENT, ROOT_ELEMENT, type Boot } from "../wire";
import { App } from "./App";

const data = document.getElementById(BOOT_ELEMENT);
const root = document.getElementById(ROOT_ELEMENT);
if (data !== null && root !== null) {
  const boot = JSON.parse(data.textContent ?? "") as Boot;
  hydrateRoot(root, <App boot={boot} />);
}
