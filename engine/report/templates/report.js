const read = name => JSON.parse(document.getElementById(name).textContent);
const charts = read('charts');
const night = read('night');
const dark = matchMedia('(prefers-color-scheme: dark)');
const NARROW = 480;
const ROOMY = 840;
const PRINTED = 0.72;

const wrap = (text, width) => text.split(' ').reduce((lines, word) => {
  const last = lines[lines.length - 1];
  return last && (last + ' ' + word).length <= width
    ? [...lines.slice(0, -1), last + ' ' + word] : [...lines, word];
}, []).join('<br>');

const size = width => (width >= NARROW) + (width >= ROOMY);

// On a phone: smaller type and less margin.
const narrowed = layout => {
  layout.font.size = 10;
  layout.legend.font.size = 10;
  layout.margin = {...layout.margin, l: Math.min(layout.margin.l, 140), r: Math.min(layout.margin.r, 16)};
  for (const axis of [layout.xaxis, layout.yaxis]) {
    if (axis?.title?.text) axis.title = {...axis.title, font: {...axis.title.font, size: 10}};
  }
};

// Titles of axes on as many lines as the room for them asks; a letter takes about half of the type's size.
const wrapped = (layout, width) => {
  const room = {xaxis: 0.5 * width, yaxis: layout.height - 110};
  for (const [name, length] of Object.entries(room)) {
    const title = layout[name]?.title;
    if (title?.text) layout[name].title = {...title, text: wrap(title.text, Math.max(length / (0.55 * (title.font?.size ?? 12)), 20))};
  }
};

// Colours on dark paper, wherever in a chart they stand: whole, or as the beginning of an rgba.
const nightly = value => {
  if (Array.isArray(value)) return value.map(nightly);
  if (value && typeof value === 'object') {
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, nightly(item)]));
  }
  if (typeof value !== 'string') return value;
  const comma = value.startsWith('rgba(') ? value.lastIndexOf(',') : value.length;
  return value.slice(0, comma) in night ? night[value.slice(0, comma)] + value.slice(comma) : value;
};

// A chart as it is drawn now; on paper light whatever the screen is, and a size smaller.
const drawing = (name, holder) => {
  const {narrow, ...wide} = charts[name];
  const width = paper ? holder.paperWidth / PRINTED : holder.clientWidth;
  const chart = structuredClone(narrow && width < ROOMY ? narrow : wide);
  if (width < NARROW) narrowed(chart.layout);
  wrapped(chart.layout, width);
  if (paper) Object.assign(chart.layout, {autosize: false, width});
  holder.style.zoom = paper ? PRINTED : '';
  holder.drawnFor = size(width);
  holder.style.minHeight = chart.layout.height + 'px';
  return dark.matches && !paper ? nightly(chart) : chart;
};

// Drawn anew: an update would move the flows of a diagram for half a second, and a sheet does not wait.
const draw = holder => {
  Plotly.purge(holder);
  const {data, layout} = drawing(holder.id.replace('chart-', ''), holder);
  return Plotly.newPlot(holder, data, layout, {responsive: !paper, displayModeBar: false});
};

const holders = () => [...document.querySelectorAll('.chart')];
const seen = holder => holder.clientWidth > 0;
const SHEET = 688;
let paper = false;

(async () => {
  const packed = document.getElementById('plotly-packed').textContent.trim();
  const bytes = Uint8Array.from(atob(packed), letter => letter.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'));
  const script = document.createElement('script');
  script.textContent = await new Response(stream).text();
  document.head.append(script);
  for (const holder of holders().filter(seen)) await draw(holder);

  for (const input of document.querySelectorAll('.choice input')) {
    input.addEventListener('change', () => {
      for (const state of document.querySelectorAll(`[data-choice="${input.name}"]`)) {
        state.hidden = state.dataset.state !== input.value;
        state.querySelectorAll('.chart').forEach(holder => seen(holder) && draw(holder));
      }
    });
  }
  for (const folded of document.querySelectorAll('details')) {
    folded.addEventListener('toggle', () => {
      folded.querySelectorAll('.chart').forEach(holder => holder.drawnFor ?? (seen(holder) && draw(holder)));
    });
  }
  dark.addEventListener('change', () => paper || holders().filter(seen).forEach(draw));
  window.addEventListener('resize', () => {
    if (paper) return;
    for (const holder of holders().filter(seen)) {
      if (holder.drawnFor !== size(holder.clientWidth)) draw(holder);
    }
  });
  window.addEventListener('beforeprint', () => {
    paper = true;
    for (const holder of holders()) {
      holder.paperWidth = holder.closest('.pair') ? SHEET / 2 - 12 : SHEET;
      draw(holder);
    }
  });
  window.addEventListener('afterprint', () => {
    paper = false;
    holders().filter(seen).forEach(draw);
  });
  document.body.dataset.drawn = 'yes';
})().catch(problem => {
  holders().forEach(chart => chart.textContent = 'Chart not drawn: ' + problem);
});
