// Reads [{panel, columns: [{name, type}], rows}] as JSON, says what Grafana's own library makes of each: names, texts, colours.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

globalThis.console = new console.Console(process.stderr); // libraries talk, and standard output is the answer
const require = createRequire(`${process.cwd()}/`);
require("react-use"); // before there is a window: it would look for a page in it
globalThis.window = new EventTarget(); // which the library listens to for what other windows store
globalThis.navigator ??= { language: "en-US", languages: ["en-US"] };
const grafana = require("@grafana/data");

// The application registers these; the library has what each does with a value.
const steps = {
  color: grafana.identityOverrideProcessor, decimals: grafana.numberOverrideProcessor,
  displayName: grafana.displayNameOverrideProcessor, links: grafana.dataLinksOverrideProcessor,
  mappings: grafana.valueMappingsOverrideProcessor, max: grafana.numberOverrideProcessor,
  min: grafana.numberOverrideProcessor, noValue: grafana.stringOverrideProcessor,
  thresholds: grafana.thresholdsOverrideProcessor, unit: grafana.unitOverrideProcessor,
};
const property = (id, path, isCustom) => ({
  id, path, isCustom, name: id, settings: {}, process: steps[id] ?? grafana.identityOverrideProcessor, shouldApply: () => true,
});
const custom = ["hidden", "cellOptions", "width", "align"];
const fieldConfigRegistry = new grafana.FieldConfigOptionsRegistry(() => [
  ...Object.keys(steps).map((id) => property(id, id, false)),
  ...custom.map((name) => property(`custom.${name}`, name, true)),
]);
const theme = grafana.createTheme();
const replaceVariables = (text) => text;

function applied({ panel, columns, rows }, timeZone) {
  const frame = grafana.toDataFrame({
    fields: columns.map(({ name, type }, at) => ({ name, type, config: {}, values: rows.map((row) => row[at]) })),
  });
  const { fieldConfig } = panel;
  return grafana.applyFieldOverrides({ data: [frame], fieldConfig, replaceVariables, theme, timeZone, fieldConfigRegistry });
}

const told = (shown) => ({ text: grafana.formattedValueToString(shown), color: shown.color });

function tiles(asked, timeZone) {
  const { fieldConfig, options } = asked.panel;
  const data = applied(asked, timeZone);
  return grafana
    .getFieldDisplayValues({ fieldConfig, reduceOptions: options.reduceOptions, data, replaceVariables, theme, timeZone })
    .map(({ display }) => ({ name: display.title, ...told(display) }));
}

function table(asked, timeZone) {
  const [frame] = applied(asked, timeZone);
  const seen = frame.fields.filter(({ config }) => !config.custom?.hidden);
  return {
    columns: seen.map((field) => grafana.getFieldDisplayName(field, frame)),
    rows: asked.rows.map((_, at) => seen.map((field) => told(field.display(field.values[at])))),
  };
}

const { asked, timeZone } = JSON.parse(readFileSync(0, "utf8"));
process.stdout.write(JSON.stringify(asked.map((one) => (one.panel.type === "table" ? table(one, timeZone) : tiles(one, timeZone)))));
