/** One column, large enough to read and to touch, in the colours that the person's system has. States are told in words; colour only helps. */
export const PAGE_STYLE = `:root{color-scheme:light dark;--ink:#1b1b1f;--paper:#fff;--soft:#5a5a63;--line:#dcdce2;--good:#15682c;--bad:#a3231b;--open:#7a4b00}
@media (prefers-color-scheme:dark){:root{--ink:#ececf1;--paper:#17171b;--soft:#a9a9b4;--line:#3a3a42;--good:#6fd08c;--bad:#ff9d94;--open:#f0bd5f}}
*{box-sizing:border-box}body{margin:0;background:var(--paper);color:var(--ink);font:1rem/1.5 system-ui,sans-serif}
main{max-width:36rem;margin:0 auto;padding:clamp(1.5rem,12vh,8rem) 1.25rem 3rem}h1{font-size:1.5rem;line-height:1.25;margin:0 0 .5rem}p{margin:.5rem 0 1.5rem}
h2{font-size:1rem;margin:0;color:var(--soft);font-weight:600}ul{list-style:none;margin:.5rem 0 1.5rem;padding:0;border-top:1px solid var(--line)}
li{display:flex;flex-wrap:wrap;justify-content:space-between;gap:0 1rem;padding:.75rem 0;border-bottom:1px solid var(--line)}
li b{font-weight:600;min-width:0;overflow-wrap:anywhere}li span{color:var(--open)}li.ended span{color:var(--good)}li.failed span{color:var(--bad)}
a{color:inherit}a.go{display:inline-block;padding:.6rem 1.1rem;border:2px solid currentColor;border-radius:.4rem;font-weight:600;text-decoration:none}
a:focus-visible{outline:3px solid var(--open);outline-offset:2px}
#frames iframe{position:fixed;left:0;bottom:0;width:1px;height:1px;border:0;opacity:0;pointer-events:none}
p.frame{margin:1rem 0 0;font-weight:600}noscript iframe{display:block;width:100%;height:8rem;margin:.5rem 0;border:1px solid var(--line);background:#fff;color-scheme:light}`;
