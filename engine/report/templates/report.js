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
    await Plotly.newPlot('chart-' + name, chart.data, chart.layout, options);
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
