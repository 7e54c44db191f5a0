// Reads line protocol from standard input and shows it in each panel of the dashboard that its argument names, as far as
// @grafana/data goes: the live buffer, the query's fields, the transformations, the calculations. Prints one line a panel:
// kind, title, rows, columns; then what a stat shows, or a table's first row.
'use strict';

const grafana = require('@grafana/data');
const { readFileSync } = require('node:fs');
const { firstValueFrom } = require('rxjs');
const { messages } = require('./messages.cjs');

const TWO_MINUTES = 120_000;
// Transformations ask the page whether they run in a dashboard of the newer kind; clocks are of the reader's zone.
globalThis.window = {};
process.env.TZ = 'UTC';

const known = new Map(Object.values(grafana.standardTransformers).map((transformer) => [transformer.id, transformer]));
grafana.standardTransformersRegistry.setInit(() =>
  [...known].map(([id, transformer]) => ({ id, name: id, transformation: async () => transformer })),
);

// The buffer that the data source `-- Grafana --` asks for (public/app/plugins/datasource/grafana/datasource.ts).
function buffer(panel, target) {
  const maxLength = panel.maxDataPoints ?? 500;
  return target.buffer
    ? { maxLength: 2 * maxLength, maxDelta: target.buffer }
    : { maxLength, maxDelta: TWO_MINUTES };
}

async function show(panel, sent) {
  const [target] = panel.targets;
  const measurement = target.channel.split('/').at(-1);
  let live;
  for (const [name, message] of sent) {
    if (name !== measurement) continue;
    if (live === undefined) {
      live = grafana.StreamingDataFrame.fromDataFrameJSON(message, buffer(panel, target));
    } else {
      live.push(message);
    }
  }
  const wanted = live.fields.filter((field) => target.filter.fields.includes(field.name));
  const asked = { length: live.length, fields: wanted.map((field) => ({ ...field, config: {} })) };
  const [frame] = await firstValueFrom(grafana.transformDataFrame(panel.transformations ?? [], [asked]));

  const columns = frame.fields.map((field) => field.config.displayName ?? field.name);
  console.log(`${panel.type}: ${panel.title}: ${frame.length} rows: ${columns.join(', ')}`);
  const { calcs } = panel.options.reduceOptions ?? {};
  if (calcs !== undefined) {
    for (const field of frame.fields.filter((field) => field.type === 'number')) {
      console.log(`  ${calcs[0]} ${grafana.reduceField({ field, reducers: calcs })[calcs[0]]}`);
    }
  } else if (panel.type === 'table') {
    console.log(`  ${frame.fields.map((field) => field.values[0]).join(' | ')}`);
  }
}

(async () => {
  const dashboard = JSON.parse(readFileSync(process.argv[2], 'utf8'));
  const sent = [...messages(readFileSync(0, 'utf8'))];
  for (const panel of dashboard.panels) {
    if (panel.type !== 'row') await show(panel, sent);
  }
})();
