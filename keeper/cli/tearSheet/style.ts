/** The stylesheet of a tear sheet: light and dark, ten colours that are told apart by most eyes (after Okabe and Ito). */
export const STYLE = `
:root { color-scheme: light dark; --paper: #fff; --ink: #1c2421; --quiet: #5c6660; --rule: #d9dedb; }
@media (prefers-color-scheme: dark) { :root { --paper: #151a18; --ink: #e8eeeb; --quiet: #a3ada8; --rule: #38423e; } }
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; padding: 0 1rem; max-width: 66rem; color: var(--ink); background: var(--paper); }
h1 { font-size: 1.6rem; margin: 0 0 .5rem; } h2 { font-size: 1.1rem; margin: 2.25rem 0 .5rem; }
.quiet { color: var(--quiet); } ul.quiet { padding-left: 1.2rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: .85rem; }
th, td { padding: .25rem .6rem; border-bottom: 1px solid var(--rule); text-align: right; white-space: nowrap; }
th { font-weight: 600; } tbody th, .text { text-align: left; } td.text { white-space: normal; min-width: 16rem; }
svg { display: block; width: 100%; height: auto; }
svg text { fill: var(--quiet); font: 11px system-ui, sans-serif; }
.grid { stroke: var(--rule); stroke-width: 1; }
.line { fill: none; stroke: var(--own); stroke-width: 1.6; stroke-linejoin: round; }
.area { fill: var(--own); opacity: .8; }
.line.again { stroke-dasharray: 5 3; } .area.again { opacity: .45; }
.up { fill: #009e73; } .down { fill: #d55e00; } .total { fill: var(--quiet); }
.legend { display: flex; flex-wrap: wrap; gap: .3rem 1rem; margin: .3rem 0 0; font-size: .85rem; }
.key::before { content: ""; display: inline-block; width: .8rem; height: .8rem; margin-right: .35rem; background: var(--own); vertical-align: -1px; }
.key.again::before { box-sizing: border-box; background: none; border: 2px dashed var(--own); }
.c0 { --own: #0072b2; } .c1 { --own: #e69f00; } .c2 { --own: #009e73; } .c3 { --own: #cc79a7; } .c4 { --own: #56b4e9; }
.c5 { --own: #d55e00; } .c6 { --own: #8a8f00; } .c7 { --own: #7b5ea7; } .c8 { --own: #6b7b74; } .c9 { --own: #a5673f; }
details { margin: .75rem 0; } summary { cursor: pointer; }
`;
