// The page of findings. It runs in browsers of 2016 (ES2016, the APIs in tests/cli/html.rs), asks nothing of the network, and puts data into the
// page only as text.
(function () {
  'use strict';

  const begun = performance.now();
  const data = JSON.parse(document.getElementById('data').textContent);
  const T = data.texts;
  const HEIGHT = 34;
  const PRINTED = 200;
  const SHIFT = 1048576;
  const SEVERITIES = ['info', 'warning', 'error'];
  const MARKS = { error: '\u2716', warning: '\u25B2', info: '\u25CF' };
  const COLUMNS = ['severity', 'rule', 'what', 'record', 'card', 'doctor', 'unit', 'place'];
  const number = new Intl.NumberFormat(data.lang);
  const byId = function (id) { return document.getElementById(id); };

  function make(name, className, text) {
    const node = document.createElement(name);
    if (className) node.className = className;
    if (text !== undefined) node.textContent = text;
    return node;
  }

  function fill(template, slots) {
    return template.replace(/\{(\w+)(:q)?\}/g, function (all, name) { return slots[name] === undefined ? all : slots[name]; });
  }

  // ---- the rows, unpacked into columns

  const rows = data.rows;
  const kindOf = new Uint32Array(rows), caseOf = new Uint32Array(rows), lineOf = new Uint32Array(rows), columnOf = new Uint32Array(rows);
  const valueOf = new Array(rows), foundOf = new Array(rows);
  const cases = { record: [], id: [], card: [], doctor: [], unit: [], profile: [], from: [], to: [] };

  (function unpack() {
    let row = 0, line = 0, column = 0, record = 0;
    const parts = document.querySelectorAll('script.rows');
    for (let p = 0; p < parts.length; p += 1) {
      const part = JSON.parse(parts[p].textContent);
      let next = 0;
      for (let r = 0; r < part.k.length; r += 1, row += 1) {
        if (part.c.charCodeAt(r) === 49) {
          const z = part.z[next];
          if (typeof z === 'number') record += z;
          const n = typeof z === 'number' ? String(record) : z;
          cases.record.push(n);
          cases.id.push(part.i[next] === 0 ? n : part.i[next]);
          cases.card.push(part.h[next]);
          cases.doctor.push(part.d[next]);
          cases.unit.push(part.u[next]);
          cases.profile.push(part.p[next]);
          cases.from.push(part.b[next]);
          cases.to.push(part.e[next]);
          next += 1;
        }
        line += part.l[r];
        column += part.o[r];
        kindOf[row] = part.k[r];
        caseOf[row] = cases.record.length - 1;
        lineOf[row] = line;
        columnOf[row] = column;
        valueOf[row] = part.v[r] === 0 ? '' : part.v[r];
        foundOf[row] = part.f[r] === 0 ? '' : part.f[r];
      }
    }
  }());

  // A kind is [rule, file, path, expected]; a rule is [id, severity, text, advice, count].
  const kinds = data.kinds;
  function rule(row) { return data.rules[kinds[kindOf[row]][0]]; }
  function slots(row) {
    const kind = kinds[kindOf[row]];
    const names = kind[2].split('/');
    const element = names[names.length - 1], parent = names.length > 1 ? names[names.length - 2] : '';
    return { element: element, parent: parent, value: valueOf[row], expected: kind[3], found: foundOf[row] };
  }
  function message(row) { return fill(rule(row)[2], slots(row)); }
  function place(row) { return lineOf[row] === 0 ? '' : fill(T.line, { line: lineOf[row], column: columnOf[row] }); }
  function cell(row, column) {
    const c = caseOf[row];
    switch (column) {
      case 'rule': return rule(row)[0];
      case 'what': return message(row);
      case 'record': return cases.record[c];
      case 'card': return cases.card[c];
      case 'doctor': return data.doctors[cases.doctor[c]];
      case 'unit': return data.units[cases.unit[c]];
      case 'place': return lineOf[row] === 0 ? '' : String(lineOf[row]);
      default: return T[SEVERITIES[rule(row)[1]]];
    }
  }

  // ---- sorting: each column gets ranks once; a sort is one of numbers

  const ranks = {};
  function ranksOfTexts(texts) {
    const sorted = Array.from(new Set(texts)).sort();
    const at = new Map();
    for (let i = 0; i < sorted.length; i += 1) at.set(sorted[i], sorted[i] === '' ? sorted.length : i);
    return texts.map(function (text) { return at.get(text); });
  }
  function rankOf(column) {
    if (ranks[column]) return ranks[column];
    const rank = new Float64Array(rows);
    let of;
    if (column === 'severity') {
      of = function (row) { return 2 - rule(row)[1]; };
    } else if (column === 'rule') {
      const ids = ranksOfTexts(data.rules.map(function (r) { return r[0]; }));
      of = function (row) { return ids[kinds[kindOf[row]][0]]; };
    } else if (column === 'what') {
      const texts = ranksOfTexts(kinds.map(function (k) { return data.rules[k[0]][2] + k[2]; }));
      of = function (row) { return texts[kindOf[row]]; };
    } else if (column === 'record') {
      const numbers = cases.record.map(function (text) { return /^\d{1,9}$/.test(text) ? Number(text) : 1e9; });
      of = function (row) { return numbers[caseOf[row]]; };
    } else if (column === 'card') {
      const cards = ranksOfTexts(cases.card);
      of = function (row) { return cards[caseOf[row]]; };
    } else if (column === 'place') {
      const files = ranksOfTexts(kinds.map(function (k) { return data.files[k[1]]; }));
      const inFile = data.lines + 1;
      of = function (row) { return Math.min(files[kindOf[row]] * inFile + lineOf[row], 4e9); };
    } else {
      const words = ranksOfTexts(data[column + 's']);
      of = function (row) { return words[cases[column][caseOf[row]]]; };
    }
    for (let row = 0; row < rows; row += 1) rank[row] = of(row);
    ranks[column] = rank;
    return rank;
  }

  const sort = { column: '', down: false };
  let order = new Uint32Array(rows);
  function sortRows() {
    const next = new Uint32Array(rows);
    if (sort.column === '') {
      for (let row = 0; row < rows; row += 1) next[row] = row;
    } else {
      const rank = rankOf(sort.column), keys = new Float64Array(rows), way = sort.down ? -1 : 1;
      for (let row = 0; row < rows; row += 1) keys[row] = way * rank[row] * SHIFT + row;
      keys.sort();
      for (let at = 0; at < rows; at += 1) next[at] = keys[at] - Math.floor(keys[at] / SHIFT) * SHIFT;
    }
    order = next;
  }

  // ---- filtering

  const search = {};
  function searchable() {
    if (search.cases) return search;
    const low = function (text) { return text.toLowerCase(); };
    search.kinds = kinds.map(function (k) { return low(data.rules[k[0]][0] + '\n' + data.rules[k[0]][2] + '\n' + k[2] + '\n' + data.files[k[1]]); });
    search.doctors = data.doctors.map(low);
    search.units = data.units.map(low);
    search.values = valueOf.map(low);
    search.cases = cases.record.map(function (record, c) { return low(record + '\n' + cases.id[c] + '\n' + cases.card[c]); });
    return search;
  }

  const chosen = { severity: -1, rule: -1, unit: -1, doctor: -1, text: '' };
  let shown = new Uint32Array(0);
  function filterRows() {
    const words = chosen.text.toLowerCase().split(/\s+/).filter(function (word) { return word !== ''; });
    const tests = words.map(function (word) {
      const s = searchable();
      const has = function (text) { return text.indexOf(word) >= 0; };
      return { kinds: s.kinds.map(has), doctors: s.doctors.map(has), units: s.units.map(has), word: word };
    });
    const fits = kinds.map(function (k) {
      return (chosen.severity < 0 || data.rules[k[0]][1] === chosen.severity) && (chosen.rule < 0 || k[0] === chosen.rule);
    });
    const next = new Uint32Array(rows);
    let count = 0;
    for (let at = 0; at < rows; at += 1) {
      const row = order[at], kind = kindOf[row], c = caseOf[row];
      if (!fits[kind] || (chosen.unit >= 0 && cases.unit[c] !== chosen.unit) || (chosen.doctor >= 0 && cases.doctor[c] !== chosen.doctor)) continue;
      let all = true;
      for (let w = 0; w < tests.length && all; w += 1) {
        const test = tests[w];
        all = test.kinds[kind] || test.doctors[cases.doctor[c]] || test.units[cases.unit[c]] ||
          search.cases[c].indexOf(test.word) >= 0 || search.values[row].indexOf(test.word) >= 0;
      }
      if (all) { next[count] = row; count += 1; }
    }
    shown = next.subarray(0, count);
  }

  // ---- the table: only the rows in view are in the page

  const grid = byId('grid'), space = byId('space');
  const pool = [];
  let active = -1;

  function newRow() {
    const node = make('div', 'row');
    node.setAttribute('role', 'row');
    const cells = COLUMNS.map(function (column) {
      const span = make('span', 'c-' + column);
      span.setAttribute('role', 'gridcell');
      node.appendChild(span);
      return span;
    });
    const mark = make('span', 'mark'), word = make('span', 'word');
    mark.setAttribute('aria-hidden', 'true');
    cells[0].appendChild(mark);
    cells[0].appendChild(word);
    const entry = { node: node, cells: cells, mark: mark, word: word, at: -1 };
    node.id = 'row-' + pool.length;
    node.addEventListener('click', function () { choose(entry.at); });
    pool.push(entry);
    return entry;
  }

  function draw() {
    const first = Math.max(0, Math.floor(grid.scrollTop / HEIGHT) - 4);
    const last = Math.min(shown.length, first + Math.ceil(grid.clientHeight / HEIGHT) + 9);
    let used = 0, owner = '';
    for (let at = first; at < last; at += 1, used += 1) {
      const entry = pool[used] || newRow(), row = shown[at], severity = SEVERITIES[rule(row)[1]];
      if (!entry.node.parentNode) space.appendChild(entry.node);
      entry.at = at;
      entry.node.style.top = at * HEIGHT + 'px';
      entry.node.className = 'row ' + severity + (at % 2 ? ' odd' : '');
      entry.node.setAttribute('aria-rowindex', String(at + 2));
      entry.node.setAttribute('aria-selected', at === active ? 'true' : 'false');
      entry.mark.textContent = MARKS[severity];
      entry.word.textContent = T[severity];
      for (let c = 1; c < COLUMNS.length; c += 1) {
        const text = cell(row, COLUMNS[c]);
        entry.cells[c].textContent = text;
        entry.cells[c].title = COLUMNS[c] === 'what' ? text : '';
      }
      if (at === active) owner = entry.node.id;
    }
    for (; used < pool.length; used += 1) {
      if (pool[used].node.parentNode) space.removeChild(pool[used].node);
      pool[used].at = -1;
    }
    if (owner === '') grid.removeAttribute('aria-activedescendant'); else grid.setAttribute('aria-activedescendant', owner);
  }

  function showList() {
    space.style.height = shown.length * HEIGHT + 'px';
    grid.setAttribute('aria-rowcount', String(shown.length + 1));
    grid.scrollTop = 0;
    active = shown.length > 0 ? 0 : -1;
    const part = { shown: number.format(shown.length), all: number.format(data.all) };
    byId('count').textContent = fill(T.count, part) + (data.all > rows ? ' ' + fill(T.cut, { rows: number.format(rows) }) : '');
    draw();
    explain();
    printLater();
  }

  function choose(at) {
    if (at < 0 || at >= shown.length) return;
    active = at;
    const top = at * HEIGHT, view = grid.clientHeight;
    if (top < grid.scrollTop) grid.scrollTop = top;
    if (top + HEIGHT > grid.scrollTop + view) grid.scrollTop = top + HEIGHT - view;
    draw();
    explain();
  }

  // ---- the explanation of the chosen row

  const detail = byId('detail');
  function explain() {
    while (detail.firstChild) detail.removeChild(detail.firstChild);
    const title = make('h2', '', active < 0 ? T.none : '');
    title.id = 'detail-title';
    detail.appendChild(title);
    if (active < 0) return;
    const row = shown[active], c = caseOf[row], kind = kinds[kindOf[row]], of = rule(row), severity = SEVERITIES[of[1]];
    title.className = severity;
    const mark = make('span', 'mark', MARKS[severity]);
    mark.setAttribute('aria-hidden', 'true');
    title.appendChild(mark);
    title.appendChild(make('span', 'word', T[severity] + ' ' + of[0]));
    detail.appendChild(make('p', '', message(row)));
    detail.appendChild(make('p', '', T.advice + ' ' + fill(of[3], slots(row))));
    const list = make('dl');
    const add = function (name, text) {
      if (text === '' || text === undefined) return;
      list.appendChild(make('dt', '', name));
      list.appendChild(make('dd', '', text));
    };
    add(T.file, data.files[kind[1]] + (lineOf[row] > 0 ? ', ' + place(row) : ''));
    add(T.element, kind[2]);
    add(T.value, valueOf[row]);
    add(T.record, cases.record[c]);
    add(T.case, cases.id[c]);
    add(T.card, cases.card[c]);
    add(T.doctor, data.doctors[cases.doctor[c]]);
    add(T.unit, data.units[cases.unit[c]]);
    add(T.profile, data.profiles[cases.profile[c]]);
    const days = [data.days[cases.from[c]], data.days[cases.to[c]]].filter(function (day) { return day !== ''; });
    add(T.days, days.join(' \u2013 '));
    add(T.more, 'puomp explain ' + of[0]);
    detail.appendChild(list);
  }

  // ---- print: totals and the first rows

  let printing = 0;
  function printLater() {
    clearTimeout(printing);
    printing = setTimeout(printNow, 400);
  }
  function printNow() {
    const target = byId('print');
    while (target.firstChild) target.removeChild(target.firstChild);
    const count = Math.min(PRINTED, shown.length);
    target.appendChild(make('h2', '', fill(T.printed, { rows: number.format(count), shown: number.format(shown.length) })));
    const table = make('table'), head = make('thead'), body = make('tbody'), titles = make('tr');
    COLUMNS.forEach(function (column) { titles.appendChild(make('th', '', T[column])); });
    head.appendChild(titles);
    for (let at = 0; at < count; at += 1) {
      const line = make('tr');
      COLUMNS.forEach(function (column) { line.appendChild(make('td', '', cell(shown[at], column))); });
      body.appendChild(line);
    }
    table.appendChild(head);
    table.appendChild(body);
    target.appendChild(table);
  }

  // ---- totals, pictures, filters

  const SVG = 'http://www.w3.org/2000/svg';
  function chart(name, entries) {
    const section = make('section', 'chart'), list = make('ol');
    section.appendChild(make('h2', '', T['by-' + name]));
    const most = entries.reduce(function (most, e) { return Math.max(most, e[2]); }, 1);
    entries.slice(0, 10).forEach(function (entry) {
      const item = make('li'), button = make('button', 'bar');
      button.type = 'button';
      button.setAttribute('aria-pressed', 'false');
      button.title = entry[1];
      button.dataset.of = name;
      button.dataset.at = entry[0];
      button.appendChild(make('span', 'name', entry[1]));
      const svg = document.createElementNS(SVG, 'svg'), rect = document.createElementNS(SVG, 'rect');
      svg.setAttribute('aria-hidden', 'true');
      svg.setAttribute('focusable', 'false');
      rect.setAttribute('width', Math.max(0.5, 100 * entry[2] / most) + '%');
      rect.setAttribute('height', '12');
      svg.appendChild(rect);
      button.appendChild(svg);
      button.appendChild(make('span', 'size', number.format(entry[2])));
      button.addEventListener('click', function () {
        set(name, chosen[name] === entry[0] ? -1 : entry[0]);
        update();
      });
      item.appendChild(button);
      list.appendChild(item);
    });
    section.appendChild(list);
    if (entries.length > 10) section.appendChild(make('p', 'note', fill(T.others, { count: number.format(entries.length - 10) })));
    byId('charts').appendChild(section);
  }

  // A package is [name, cases, errors, warnings, notes, whether it could not be read to its end].
  function listPackages() {
    const table = byId('packages-table'), head = make('thead'), body = make('tbody'), titles = make('tr');
    const columns = ['package', 'cases', 'errors', 'warnings', 'infos'].filter(function (c) { return c !== 'infos' || data.severities[0] > 0; });
    columns.forEach(function (column) {
      const title = make('th', '', T[column]);
      title.setAttribute('scope', 'col');
      titles.appendChild(title);
    });
    head.appendChild(titles);
    data.packages.forEach(function (p) {
      const line = make('tr'), name = make('th', '', p[0]);
      name.setAttribute('scope', 'row');
      line.appendChild(name);
      if (p[5]) {
        const state = make('span', 'error'), mark = make('span', 'mark', MARKS[SEVERITIES[2]]);
        mark.setAttribute('aria-hidden', 'true');
        state.appendChild(mark);
        state.appendChild(make('span', 'word', T.unread));
        name.appendChild(make('br'));
        name.appendChild(state);
      }
      for (let c = 1; c < columns.length; c += 1) line.appendChild(make('td', '', number.format(p[c])));
      body.appendChild(line);
    });
    table.appendChild(head);
    table.appendChild(body);
    if (data.packages.length < data.packages_all) {
      const cut = { shown: number.format(data.packages.length), all: number.format(data.packages_all) };
      byId('packages-cut').textContent = fill(T['packages-cut'], cut);
      byId('packages-cut').hidden = false;
    }
  }

  function options(name, entries) {
    const select = byId(name), all = make('option', '', T.all);
    all.value = '-1';
    select.appendChild(all);
    entries.forEach(function (entry) {
      const option = make('option', '', entry[1] + ' (' + number.format(entry[2]) + ')');
      option.value = String(entry[0]);
      select.appendChild(option);
    });
    select.addEventListener('change', function () { set(name, Number(select.value)); update(); });
  }

  function set(name, value) {
    chosen[name] = value;
    byId(name).value = String(value);
  }

  function update() {
    const bars = document.querySelectorAll('.bar');
    for (let b = 0; b < bars.length; b += 1) {
      bars[b].setAttribute('aria-pressed', chosen[bars[b].dataset.of] === Number(bars[b].dataset.at) ? 'true' : 'false');
    }
    filterRows();
    showList();
  }

  function sortBy(column) {
    if (sort.column !== column) {
      sort.column = column;
      sort.down = false;
    } else if (!sort.down) {
      sort.down = true;
    } else {
      sort.column = '';
    }
    const buttons = byId('sorts').children;
    for (let b = 0; b < buttons.length; b += 1) {
      const own = COLUMNS[b] === sort.column;
      buttons[b].textContent = T[COLUMNS[b]] + (own ? (sort.down ? ' \u25BC' : ' \u25B2') : '');
      buttons[b].setAttribute('aria-pressed', own ? 'true' : 'false');
      heads[b].setAttribute('aria-sort', own ? (sort.down ? 'descending' : 'ascending') : 'none');
    }
    sortRows();
    update();
  }

  const heads = [];
  (function build() {
    const named = document.querySelectorAll('[data-t]');
    for (let i = 0; i < named.length; i += 1) named[i].textContent = T[named[i].dataset.t];
    byId('text').placeholder = T['search-in'];
    byId('meta').textContent = data.meta.join(' \u00B7 ');
    data.totals.forEach(function (total) {
      const item = make('li', total[2]);
      const value = make('b', '', number.format(total[1])), word = make('span', 'word', total[0]);
      item.appendChild(value);
      if (total[2]) {
        const mark = make('span', 'mark', MARKS[total[2]]);
        mark.setAttribute('aria-hidden', 'true');
        item.appendChild(mark);
      }
      item.appendChild(word);
      byId('totals').appendChild(item);
    });
    listPackages();
    const size = function (a, b) { return b[2] - a[2] || a[0] - b[0]; };
    const rulesOf = data.rules.map(function (r, at) { return [at, r[0] + ' ' + r[5], r[4]]; }).sort(size);
    const named2 = function (names, sizes) {
      return names.map(function (name, at) { return [at, name === '' ? T.absent : name, sizes[at]]; })
        .filter(function (e) { return e[2] > 0; }).sort(size);
    };
    const units = named2(data.units, data.unit_sizes), doctors = named2(data.doctors, data.doctor_sizes);
    if (data.all > 0) {
      chart('rule', rulesOf);
      chart('unit', units);
      chart('doctor', doctors);
    }
    options('severity', [2, 1, 0].map(function (s) { return [s, T[SEVERITIES[s]], data.severities[s]]; }).filter(function (e) { return e[2] > 0; }));
    options('rule', rulesOf);
    options('unit', units);
    options('doctor', doctors);
    const head = make('div', 'unseen');
    head.setAttribute('role', 'row');
    byId('sorts').setAttribute('aria-label', T.sort);
    grid.setAttribute('aria-colcount', String(COLUMNS.length));
    COLUMNS.forEach(function (column) {
      const button = make('button', 'c-' + column, T[column]);
      button.type = 'button';
      button.title = T.sort + ': ' + T[column];
      button.setAttribute('aria-pressed', 'false');
      button.addEventListener('click', function () { sortBy(column); });
      byId('sorts').appendChild(button);
      const title = make('span', '', T[column]);
      title.setAttribute('role', 'columnheader');
      title.setAttribute('aria-sort', 'none');
      head.appendChild(title);
      heads.push(title);
    });
    space.appendChild(head);
    let waiting = 0;
    byId('text').addEventListener('input', function () {
      clearTimeout(waiting);
      waiting = setTimeout(function () { chosen.text = byId('text').value; update(); }, 120);
    });
    byId('filters').addEventListener('submit', function (event) { event.preventDefault(); });
    byId('filters').addEventListener('reset', function (event) {
      event.preventDefault();
      ['severity', 'rule', 'unit', 'doctor'].forEach(function (name) { set(name, -1); });
      byId('text').value = '';
      chosen.text = '';
      update();
    });
    grid.addEventListener('scroll', draw);
    window.addEventListener('resize', draw);
    grid.addEventListener('keydown', function (event) {
      const page = Math.max(1, Math.floor(grid.clientHeight / HEIGHT) - 1);
      const steps = { ArrowDown: active + 1, ArrowUp: active - 1, PageDown: active + page, PageUp: active - page, Home: 0, End: shown.length - 1 };
      const to = steps[event.key];
      if (to === undefined || event.altKey || event.ctrlKey || event.metaKey) return;
      event.preventDefault();
      choose(Math.max(0, Math.min(shown.length - 1, to)));
    });
  }());

  sortRows();
  update();
  const first = performance.now();

  // What a first search or sort by text needs is made ready while the reader looks at the page.
  setTimeout(function () { searchable(); rankOf('card'); }, 50);

  // ---- the page measures itself: open it with #selftest

  if (location.hash === '#selftest') {
    setTimeout(function () {
      const result = { rows: rows, begun_ms: Math.round(begun), first_rows_ms: Math.round(first), sort_ms: {}, filter_ms: {} };
      const timed = function (work) {
        const begun = performance.now();
        work();
        grid.getBoundingClientRect();
        return Math.round(performance.now() - begun);
      };
      COLUMNS.forEach(function (column) { result.sort_ms[column] = timed(function () { sortBy(column); }); });
      sortBy('place');
      sortBy('place');
      ['1', '12', 'profil', 'nothing of the kind'].forEach(function (text) {
        result.filter_ms[text] = timed(function () { chosen.text = text; update(); });
      });
      chosen.text = '';
      ['severity', 'rule', 'unit', 'doctor'].forEach(function (name) {
        result.filter_ms[name] = timed(function () { set(name, 0); update(); });
        set(name, -1);
      });
      update();
      const worst = function (times) { return Object.keys(times).reduce(function (most, key) { return Math.max(most, times[key]); }, 0); };
      result.ok = result.first_rows_ms <= 300 && worst(result.sort_ms) <= 150 && worst(result.filter_ms) <= 150;
      byId('selftest').hidden = false;
      byId('selftest').textContent = JSON.stringify(result, null, 1);
    }, 600);
  }
}());
