"""How the page of the fake service looks, by day and by night."""

from __future__ import annotations

from typing import Final

ICON: Final = (
    "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E"
    "%3Crect width='16' height='16' rx='4' fill='%234338ca'/%3E"
    "%3Cpath d='M4 5h8M4 8h5M4 11h7' stroke='white' stroke-width='1.5'/%3E%3C/svg%3E"
)
"""Given with the page, so that no browser asks the service for one."""

STYLE: Final = """
:root{--bg:#f5f6f8;--card:#ffffff;--text:#1a1f2b;--soft:#586174;--line:#dfe3ea;--link:#4338ca;
--on:#ffffff;--running:#8a4b00;--completed:#17693b;--failed:#b42318;--other:#586174;
--running-on:#fdf0d8;--completed-on:#e2f4e8;--failed-on:#fdebe9;--other-on:#eceff3}
@media (prefers-color-scheme:dark){:root{--bg:#0f1218;--card:#181c25;--text:#e8ebf1;
--soft:#a3adbf;--line:#2c3342;--link:#a5b4fc;--on:#14172a;--running:#f5b94d;--completed:#6fd197;
--failed:#ff9d92;--other:#a3adbf;--running-on:#3a2a0c;--completed-on:#11301f;--failed-on:#3d1a18;
--other-on:#262c38}}
*{box-sizing:border-box}
html{scroll-padding-top:1rem;-webkit-text-size-adjust:100%}
body{margin:0;background:var(--bg);color:var(--text);font:15px/1.5 system-ui,-apple-system,
"Segoe UI",Roboto,"Helvetica Neue","Noto Sans",sans-serif}
header,main{max-width:80rem;margin:0 auto;padding:0 1rem}
header{padding-top:1.25rem}
.title{display:flex;flex-wrap:wrap;gap:.5rem 2rem;justify-content:space-between;
align-items:center}
h1{font-size:1.5rem;line-height:1.2;letter-spacing:-.015em;margin:0}
h2{font-size:1.0625rem;line-height:1.3;margin:0 0 .5rem;overflow-wrap:anywhere}
h3{font-size:.9375rem;margin:1.25rem 0 .25rem}
p{margin:.25rem 0 .75rem}
.title p,.tiles{color:var(--soft)}
a{color:var(--link);text-underline-offset:.15em;text-decoration-thickness:1px}
a:hover{text-decoration-thickness:2px}
a[aria-current]{font-weight:700}
:focus-visible{outline:3px solid var(--link);outline-offset:2px;border-radius:4px}
main:focus-visible{outline:none}
code,pre{font:.8125rem/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace}
code{overflow-wrap:anywhere}
td code{font-size:.75rem}
pre{margin:0;overflow-x:auto;padding:.75rem 1rem;background:var(--bg);border:1px solid var(--line);
border-radius:8px}
pre code{overflow-wrap:normal}
.actions{display:flex;gap:1.25rem;align-items:center;margin:0}
.button{background:var(--link);color:var(--on);text-decoration:none;font-weight:600;
padding:.4rem 1rem;border-radius:8px;border:1px solid transparent}
.button:hover{text-decoration:underline}
nav{margin:.75rem 0 1rem;border-bottom:1px solid var(--line)}
nav ul,.keys{display:flex;flex-wrap:wrap;gap:0 1.25rem;list-style:none;margin:0;padding:0}
nav a{display:inline-block;padding:.3rem 0;color:var(--soft);text-decoration:none}
nav a:hover{color:var(--link);text-decoration:underline}
main{display:grid;grid-template-columns:minmax(0,1fr);gap:1rem;padding-bottom:3rem}
section,.tiles div{min-width:0;background:var(--card);border:1px solid var(--line);
border-radius:12px}
section{padding:1rem}
section>:last-child,section>p:only-of-type:last-child{margin-bottom:0}
.tiles{display:grid;grid-template-columns:repeat(2,minmax(0,1fr));gap:.5rem;margin:0}
.tiles div{padding:.375rem .75rem;display:flex;justify-content:space-between;align-items:baseline}
dt{font-size:.8125rem}
dd{margin:0;color:var(--text);font-size:1.125rem;line-height:1.4;font-weight:650;
font-variant-numeric:tabular-nums}
table{border-collapse:collapse;width:100%}
caption{text-align:left;color:var(--soft);font-size:.8125rem;padding:0 0 .35rem}
th,td{text-align:left;padding:.4rem .9rem .4rem 0;border-bottom:1px solid var(--line);
vertical-align:baseline}
th:last-child,td:last-child{padding-right:0}
tbody tr:last-child td{border-bottom:0}
th{font-size:.75rem;font-weight:600;color:var(--soft);white-space:nowrap}
td{font-size:.875rem;overflow-wrap:anywhere}
td a{display:inline-block;padding:.1rem 0}
.rooms th+th,.rooms td+td{text-align:right;font-variant-numeric:tabular-nums}
.rooms td:first-child{width:100%}
.rooms th,.rooms td{padding-right:.625rem}
.rooms th{font-size:.6875rem}
.soft,.note{color:var(--soft)}
.note{font-size:.8125rem;margin:.25rem 0}
.count{color:var(--running);font-weight:700}
time,.in-length,.in-start,.in-number{white-space:nowrap;font-variant-numeric:tabular-nums}
.status,.fault{display:inline-block;font-size:.8125rem;font-weight:600;line-height:1.45;
padding:0 .55rem;border-radius:99px;max-width:min(16rem,40vw);white-space:nowrap;overflow:hidden;
text-overflow:ellipsis;vertical-align:bottom}
.status::before{font-size:.7em;margin-right:.4em;vertical-align:.08em}
.status.running{color:var(--running);background:var(--running-on)}
.status.running::before{content:"\\25B8" / ""}
.status.completed{color:var(--completed);background:var(--completed-on)}
.status.completed::before{content:"\\2713" / ""}
.status.failed{color:var(--failed);background:var(--failed-on)}
.status.failed::before{content:"\\2715" / ""}
.status.other{color:var(--other);background:var(--other-on)}
.status.other::before{content:"\\25CB" / ""}
.fault{color:var(--failed);max-width:min(16rem,45vw);border:1px solid currentColor;
border-radius:6px}
details{margin-top:.25rem}
summary{cursor:pointer;color:var(--link);font-weight:600;padding:.35rem 0;width:max-content;
max-width:100%}
details[open]>summary{margin-bottom:.5rem}
.lanes{display:flex;align-items:flex-start}
.names{flex:none}
/* It is scrolled to its end at first, where the newest are. */
.wide{flex:0 1 auto;min-width:0;overflow-x:auto;direction:rtl;border-left:1px solid var(--line)}
svg{display:block;direction:ltr}
svg text{fill:var(--text);font-size:13px}
svg .head{font-size:12px;font-weight:600}
svg .foot{font-size:11px;fill:var(--soft)}
svg .word{font-size:11px;font-weight:700;fill:var(--running-on);text-anchor:end}
svg .cross{font-size:11px;font-weight:700;fill:var(--failed);text-anchor:middle;
pointer-events:none}
.tick,.rule{stroke:var(--line);fill:none}
.tick.gap{stroke:var(--soft);stroke-dasharray:2 4}
path.session{stroke:var(--completed);stroke-width:2;fill:none}
rect{stroke:var(--card);stroke-width:1}
rect.running{fill:var(--running)}
rect.completed{fill:var(--completed)}
rect.failed{fill:var(--failed-on);stroke:var(--failed);stroke-width:1.5}
rect.other{fill:var(--other-on);stroke:var(--other);stroke-width:1.5;stroke-dasharray:3 2}
.keys{margin:.75rem 0 0;font-size:.8125rem}
.keys svg{display:inline-block;margin-right:.4rem;vertical-align:-2px}
.skip{position:absolute;left:-999rem}
.skip:focus{left:1rem;top:.5rem;background:var(--card);padding:.5rem 1rem;border-radius:8px;
z-index:1}
@media (min-width:40rem){.tiles{grid-template-columns:repeat(6,minmax(0,1fr))}
.tiles div{padding:.625rem 1rem;flex-direction:column-reverse;justify-content:start}
dd{font-size:1.375rem}section{padding:1.125rem 1.375rem}header,main{padding-left:1.5rem;
padding-right:1.5rem}}
@media (min-width:64rem){main{grid-template-columns:24rem minmax(0,1fr)}
.tiles,section{grid-column:1/-1}section.rooms{grid-column:1}section.time,
section.rooms+section.requests{grid-column:2}}
@media (max-width:63.99rem){.cards,.cards tbody,.cards caption{display:block}
.cards thead{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
.cards tr{display:grid;grid-template-columns:auto minmax(0,1fr) auto;gap:.1rem .75rem;
align-items:baseline;padding:.6rem 0;border-bottom:1px solid var(--line)}
.cards tr:last-child{border-bottom:0}
.cards td{display:block;padding:0;border:0;min-width:0}
.jobs .in-start{grid-area:1/2/2/4;text-align:right}.jobs .in-length{grid-area:2/3;color:var(--soft)}
.jobs .in-room{grid-area:2/1/3/3}.jobs .in-files{grid-column:1/-1}
.jobs .in-session,.jobs .in-id{grid-column:1/-1;color:var(--soft)}
.jobs .in-session::before{content:"Session "}.jobs .in-id::before{content:"Id "}
.jobs .in-session::before,.jobs .in-id::before,.sessions .in-jobs::before{font-size:.75rem}
.sessions .in-session,.sessions .in-room,.sessions .in-status,.asked .in-request{grid-column:1/-1}
.sessions .in-jobs::before{content:"Jobs "}
.asked .in-fault{text-align:right;grid-area:1/3}}
@media (forced-colors:active){svg text{fill:CanvasText}.status{border:1px solid}}
"""
