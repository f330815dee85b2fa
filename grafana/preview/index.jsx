// Draws a dashboard's JSON with Grafana's own components, from answers that stand beside it in
// scene.json: {board, answers: {panel id: [{legend, series}]}, width, from, to}. Times are ms.
import React from 'react';
import { createRoot } from 'react-dom/client';
import {
  FieldConfigOptionsRegistry,
  FieldType,
  ThemeContext,
  applyFieldOverrides,
  createDataFrame,
  createTheme,
  getFieldDisplayValues,
  standardFieldConfigEditorRegistry,
} from '@grafana/data';
import {
  BarGauge,
  BigValue,
  GlobalStyles,
  PanelChrome,
  PanelContextProvider,
  TimeSeries,
  TooltipDisplayMode,
  VizRepeater,
} from '@grafana/ui';

const COLUMNS = 24, ROW = 30, GAP = 8;
const theme = createTheme({ colors: { mode: 'dark' } });

// The paths under which the options of a panel stand, as Grafana registers them itself.
const STANDARD = ['displayName', 'unit', 'min', 'max', 'decimals', 'mappings', 'noValue', 'color', 'thresholds'];
const CUSTOM = ['drawStyle', 'lineWidth', 'fillOpacity', 'showPoints', 'spanNulls', 'axisSoftMin', 'axisSoftMax', 'lineColor'];
const option = (path, isCustom) => ({
  id: isCustom ? `custom.${path}` : path, path, isCustom, name: path,
  process: (value) => value, shouldApply: () => true, override: () => null, editor: () => null,
});
const registry = new FieldConfigOptionsRegistry();
STANDARD.forEach((path) => registry.register(option(path, false)));
CUSTOM.forEach((path) => registry.register(option(path, true)));
if (!standardFieldConfigEditorRegistry.isInitialized) {
  standardFieldConfigEditorRegistry.setInit(() => registry.list());
}

// What Grafana's plugins set where the JSON says nothing.
const DEFAULTS = {
  timeseries: { color: { mode: 'palette-classic' }, custom: { drawStyle: 'line', lineWidth: 1, showPoints: 'auto' } },
};

function frames(panel, answers) {
  return answers.flatMap(({ refId, series }) => series.map(({ name, times, values }) => createDataFrame({
    refId, name,
    fields: [
      { name: 'Time', type: FieldType.time, values: times, config: {} },
      { name: 'Value', type: FieldType.number, values: values.map((one) => (one === 'NaN' ? NaN : one)), config: { displayNameFromDS: name }, labels: {} },
    ],
  })));
}

function prepared(panel, answers) {
  const base = DEFAULTS[panel.type] ?? { color: { mode: 'thresholds' } };
  const given = panel.fieldConfig.defaults;
  const defaults = { ...base, ...given, custom: { ...base.custom, ...given.custom } };
  return applyFieldOverrides({
    data: frames(panel, answers),
    fieldConfig: { defaults, overrides: panel.fieldConfig.overrides ?? [] },
    fieldConfigRegistry: registry,
    replaceVariables: (text) => text,
    theme,
    timeZone: 'utc',
  });
}

function Values({ panel, data, width, height, draw }) {
  const values = () => getFieldDisplayValues({
    fieldConfig: panel.fieldConfig,
    reduceOptions: panel.options.reduceOptions,
    replaceVariables: (text) => text,
    theme, data, sparkline: false, timeZone: 'utc',
  });
  return (
    <VizRepeater source={data} width={width} height={height} getValues={values} renderValue={draw}
      orientation={panel.options.orientation ?? 'auto'} itemSpacing={3} autoGrid renderCounter={0} />
  );
}

const bigValue = (panel) => ({ value, width, height, count }) => (
  <BigValue value={value.display} width={width} height={height} theme={theme} count={count}
    colorMode={panel.options.colorMode} graphMode={panel.options.graphMode}
    justifyMode={panel.options.justifyMode ?? 'auto'} textMode={panel.options.textMode} text={panel.options.text}
    disableWideLayout={!panel.options.wideLayout} />
);

const bar = (panel) => ({ value, width, height, orientation, alignmentFactors }) => (
  <BarGauge value={value.display} field={value.field} display={value.view?.getFieldDisplayProcessor?.(value.colIndex)}
    width={width} height={height} orientation={orientation} theme={theme} text={panel.options.text}
    displayMode={panel.options.displayMode} itemSpacing={10} lcdCellWidth={12}
    alignmentFactors={alignmentFactors} />
);

function Chart({ panel, data, width, height, range }) {
  if (!data.length) {
    return <div>{panel.fieldConfig.defaults.noValue}</div>;
  }
  const legend = panel.options.legend ?? {};
  return (
    <TimeSeries frames={data} structureRev={1} timeRange={range} timeZone="utc" width={width} height={height}
      legend={{ displayMode: 'list', placement: 'bottom', calcs: [], showLegend: legend.showLegend ?? true }} />
  );
}

function Drawn({ panel, answers, width, height, range }) {
  const data = prepared(panel, answers);
  if (panel.type === 'timeseries') {
    return <Chart {...{ panel, data, width, height, range }} />;
  }
  const draw = panel.type === 'bargauge' ? bar(panel) : bigValue(panel);
  return <Values {...{ panel, data, width, height, draw }} />;
}

function Panel({ panel, answers, column, range }) {
  const { x, y, w, h } = panel.gridPos;
  const width = w * column + (w - 1) * GAP, height = h * ROW + (h - 1) * GAP;
  const place = { position: 'absolute', left: x * (column + GAP), top: y * (ROW + GAP), width, height };
  if (panel.type === 'row') {
    return <div style={{ ...place, paddingTop: 4 }}>{panel.title}</div>;
  }
  return (
    <div style={place} data-panel={panel.id}>
      <PanelChrome title={panel.title} width={width} height={height} padding="none" hoverHeader={!panel.title}>
        {(innerWidth, innerHeight) => (
          <Drawn panel={panel} answers={answers} width={innerWidth} height={innerHeight} range={range} />
        )}
      </PanelChrome>
    </div>
  );
}

function Board({ board, answers, width, range }) {
  const inner = width - 2 * GAP, column = (inner - (COLUMNS - 1) * GAP) / COLUMNS;
  return (
    <div style={{ position: 'absolute', left: GAP, top: GAP }}>
      {board.panels.map((panel) => (
        <Panel key={panel.id} panel={panel} answers={answers[panel.id] ?? []} column={column} range={range} />
      ))}
    </div>
  );
}

// What the test reads: each text with its size, its colour and the colour it stands on.
const background = (element) => {
  for (let at = element; at; at = at.parentElement) {
    const { backgroundColor } = getComputedStyle(at);
    if (backgroundColor && !/^rgba\(.*, 0\)$|transparent/.test(backgroundColor)) {
      return backgroundColor;
    }
  }
  return 'rgb(0, 0, 0)';
};

function measured() {
  const found = [];
  for (const panel of document.querySelectorAll('[data-panel]')) {
    const box = panel.getBoundingClientRect();
    for (const element of panel.querySelectorAll('*')) {
      const text = [...element.childNodes].filter((one) => one.nodeType === Node.TEXT_NODE)
        .map((one) => one.textContent).join('').trim();
      if (!text || ['STYLE', 'SCRIPT'].includes(element.tagName) || element.closest('.u-axis, .uplot')) {
        continue;
      }
      const style = getComputedStyle(element), at = element.getBoundingClientRect();
      if (style.visibility === 'hidden' || style.display === 'none' || style.opacity === '0') {
        continue;
      }
      found.push({
        panel: Number(panel.dataset.panel), text, size: parseFloat(style.fontSize),
        colour: style.color, background: background(element),
        inside: at.left >= box.left - 1 && at.right <= box.right + 1 && at.top >= box.top - 4 && at.bottom <= box.bottom + 4,
      });
    }
  }
  return found;
}

async function main() {
  const { board, answers, width, from, to } = await (await fetch('scene.json')).json();
  const at = (ms) => ({ valueOf: () => ms, toDate: () => new Date(ms) });
  const range = { from: at(from), to: at(to), raw: { from: 'now-30m', to: 'now' } };
  createRoot(document.getElementById('root')).render(
    <ThemeContext.Provider value={theme}>
      <GlobalStyles />
      <Board {...{ board, answers, width, range }} />
    </ThemeContext.Provider>
  );
  setTimeout(() => {
    const list = document.createElement('script');
    list.type = 'application/json';
    list.id = 'measured';
    list.textContent = JSON.stringify(measured());
    document.body.append(list);
  }, 3000);
}

main();
