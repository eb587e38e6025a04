const wrap = (text, width) => text.split(' ').reduce((lines, word) => {
  const last = lines[lines.length - 1];
  return last && (last + ' ' + word).length <= width
    ? [...lines.slice(0, -1), last + ' ' + word] : [...lines, word];
}, []).join('<br>');

// On a phone: smaller type, less margin, and titles of axes on several lines.
const narrow = layout => {
  layout.font.size = 10;
  layout.legend.font.size = 10;
  layout.margin = {...layout.margin, l: Math.min(layout.margin.l, 140), r: 16};
  for (const axis of [layout.xaxis, layout.yaxis]) {
    if (axis?.title?.text) axis.title = {...axis.title, text: wrap(axis.title.text, 30), font: {size: 10}};
  }
};

(async () => {
  const packed = document.getElementById('plotly-packed').textContent.trim();
  const bytes = Uint8Array.from(atob(packed), letter => letter.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'));
  const script = document.createElement('script');
  script.textContent = await new Response(stream).text();
  document.head.append(script);
  const charts = JSON.parse(document.getElementById('charts').textContent);
  const options = {responsive: true, displayModeBar: false};
  for (const [name, chart] of Object.entries(charts)) {
    const holder = document.getElementById('chart-' + name);
    if (holder.clientWidth < 420) narrow(chart.layout);
    await Plotly.newPlot(holder, chart.data, chart.layout, options);
  }
  const fit = width => document.querySelectorAll('.chart').forEach(chart => {
    const room = width ? width / (chart.closest('.pair') ? 2 : 1) - (chart.closest('.pair') ? 12 : 0) : null;
    Plotly.relayout(chart, room ? {autosize: false, width: room} : {autosize: true, width: null});
  });
  window.addEventListener('beforeprint', () => fit(672));
  window.addEventListener('afterprint', () => fit(null));
  document.body.dataset.drawn = 'yes';
})().catch(problem => {
  document.querySelectorAll('.chart').forEach(chart => chart.textContent = 'Chart not drawn: ' + problem);
});
