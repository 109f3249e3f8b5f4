import { LabIcon } from '@jupyterlab/ui-components';

/** A globe with a satellite above it. */
export const eoIcon = new LabIcon({
  name: 'eolab:eo',
  svgstr: `<svg xmlns="http://www.w3.org/2000/svg" width="16" height="16" viewBox="0 0 24 24">
  <g class="jp-icon3 jp-icon-selectable" fill="#616161">
    <path d="M9.5 8.2a7 7 0 1 0 7 7 7 7 0 0 0-7-7zm0 1.8c1 0 2.1 1.5 2.6 3.9a14 14 0 0 1-5.2 0C7.4 11.500 8.500 10 9.500 10zm-3 .800a10 10 0 0 0-1.200 2.700 9 9 0 0 1-.900-.500 5.300 5.300 0 0 1 2.100-2.200zm6 0a5.300 5.300 0 0 1 2.100 2.200 9 9 0 0 1-.900.500 10 10 0 0 0-1.200-2.700zM4.300 15c.250.130.500.250.800.350A13 13 0 0 0 5.200 17a5.300 5.300 0 0 1-.900-2zm10.400 0a5.300 5.300 0 0 1-.900 2 13 13 0 0 0 .100-1.650c.300-.100.550-.220.800-.350zm-7.900.800a16 16 0 0 0 5.400 0 12 12 0 0 1-.200 2.100 10 10 0 0 1-5 0 12 12 0 0 1-.200-2.100zm.900 3.900a12 12 0 0 0 3.600 0c-.500 1-1.200 1.500-1.800 1.500s-1.300-.500-1.800-1.500z"/>
    <path d="m16.300 5.500 2.200 2.200a.7.7 0 0 1 0 1L17.100 10.100a.7.7 0 0 1-1 0l-2.200-2.200a.7.7 0 0 1 0-1l1.400-1.400a.7.7 0 0 1 1 0z"/>
    <path d="M12.300 1.200 15 3.900l-2.100 2.100-2.700-2.700zM20.100 9l2.700 2.700-2.100 2.100L18 11.100z"/>
  </g>
</svg>`
});

/** Trials that climb. */
export const studyIcon = new LabIcon({
  name: 'eolab:study',
  svgstr: `<svg xmlns="http://www.w3.org/2000/svg" width="16" height="16" viewBox="0 0 24 24">
  <g class="jp-icon3 jp-icon-selectable" fill="#616161">
    <path d="M3 3h2v16h16v2H3z"/>
    <path d="M7 12.500h3v5H7zm5-4h3v9h-3zm5-4.500h3v13.500h-3z"/>
  </g>
</svg>`
});

/** A table whose first column stands out: features with their keys. */
export const featuresIcon = new LabIcon({
  name: 'eolab:features',
  svgstr: `<svg xmlns="http://www.w3.org/2000/svg" width="16" height="16" viewBox="0 0 24 24">
  <g class="jp-icon3 jp-icon-selectable" fill="#616161">
    <path fill-rule="evenodd" d="M3 4h18v16H3zm7 2v3h9V6zm0 5v2.500h9V11zm0 4.500V18h9v-2.500z"/>
  </g>
</svg>`
});

/** A gear: who works on a study. */
export const workerIcon = new LabIcon({
  name: 'eolab:worker',
  svgstr: `<svg xmlns="http://www.w3.org/2000/svg" width="16" height="16" viewBox="0 0 24 24">
  <g class="jp-icon3 jp-icon-selectable" fill="#616161">
    <path fill-rule="evenodd" d="M10.500 2h3l.500 2.600 2 .800 2.200-1.500 2.100 2.100-1.500 2.200.800 2 2.600.500v3l-2.600.500-.800 2 1.500 2.200-2.100 2.100-2.200-1.500-2 .800-.500 2.600h-3l-.500-2.600-2-.800-2.200 1.500-2.100-2.100 1.500-2.200-.800-2L1.800 13.700v-3l2.600-.500.800-2-1.500-2.200 2.100-2.100L8 5.400l2-.800zM12 8.500a3.500 3.500 0 1 0 0 7 3.500 3.500 0 0 0 0-7z"/>
  </g>
</svg>`
});
