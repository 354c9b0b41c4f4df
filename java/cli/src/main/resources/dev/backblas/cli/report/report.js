(() => {
  "use strict";
  const data = JSON.parse(document.getElementById("data").textContent);
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const charts = [];
  const figure = v => v === null ? "" : Math.abs(v) >= 1e5 || v !== 0 && Math.abs(v) < 1e-3 ? v.toExponential(2)
    : String(Number(v.toPrecision(4)));

  function colours() {
    const style = getComputedStyle(document.documentElement);
    return Object.fromEntries(["card", "ink", "soft", "line", "blue", "orange"].map(name =>
      [name, style.getPropertyValue("--" + name).trim()]));
  }

  function axis(c, name, rest) {
    return Object.assign({
      type: "value", scale: true, name, nameLocation: "middle", nameGap: 28, nameTextStyle: {color: c.soft, fontSize: 12},
      axisLabel: {color: c.soft, hideOverlap: true, formatter: figure}, axisLine: {onZero: false, lineStyle: {color: c.line}},
      axisTick: {show: false}, splitLine: {lineStyle: {color: c.line}}
    }, rest);
  }

  // The name above the axis, where no width is lost to it
  const upright = (c, name, rest) => axis(c, name, Object.assign({
    nameLocation: "end", nameGap: 12, nameTextStyle: {color: c.soft, fontSize: 12, align: "left"}
  }, rest));

  // The ends of a range are not round, and would be written over its ticks
  const inside = c => ({color: c.soft, hideOverlap: true, formatter: figure, showMinLabel: false, showMaxLabel: false});

  function frame(c, option) {
    return Object.assign({
      animation: false, textStyle: {fontFamily: getComputedStyle(document.body).fontFamily},
      grid: {left: 4, right: 20, top: 30, bottom: 30, containLabel: true},
      tooltip: {backgroundColor: c.card, borderColor: c.line, textStyle: {color: c.ink, fontSize: 13}, confine: true}
    }, option);
  }

  const line = (c, name, points, colour, rest) => Object.assign({
    type: "line", name, data: points, showSymbol: points.length < 30, symbolSize: 5, lineStyle: {width: 2, color: colour},
    itemStyle: {color: colour}, emphasis: {disabled: true}
  }, rest);

  const diagonal = (c, from, to) => line(c, "ideal", [[from, from], [to, to]], c.soft,
    {showSymbol: false, silent: true, tooltip: {show: false}, lineStyle: {type: "dashed", width: 1.5, color: c.soft}, z: 1});

  function curve(c, curve) {
    return frame(c, {
      legend: {top: 0, left: 0, itemWidth: 18, textStyle: {color: c.soft}, icon: "roundRect", itemHeight: 3,
               show: curve.series.length > 1},
      tooltip: Object.assign(frame(c, {}).tooltip, {
        trigger: "axis", valueFormatter: v => figure(v) + curve.unit,
        axisPointer: {label: {formatter: p => "epoch " + p.value}, lineStyle: {color: c.soft}}
      }),
      xAxis: axis(c, "epoch", {splitLine: {show: false}, minInterval: 1, min: Math.min(1, data.epochs[0]), max: "dataMax",
                               axisLabel: {color: c.soft, hideOverlap: true}}),
      yAxis: axis(c, "", {type: curve.logarithmic ? "log" : "value", axisLabel: {color: c.soft, hideOverlap: true,
                                                                               formatter: v => figure(v) + curve.unit}}),
      series: curve.series.map(s =>
        line(c, s.name, data.epochs.map((epoch, e) => [epoch, s.values[e]]), s.name === "training" ? c.blue : c.orange))
    });
  }

  const percent = v => Math.round(100 * v) + " %";

  const pictures = {
    calibration: c => frame(c, {
      tooltip: Object.assign(frame(c, {}).tooltip, {
        formatter: p => `claimed ${percent(p.value[0])}, right ${percent(p.value[1])}<br>${p.value[2]} samples`
      }),
      xAxis: axis(c, "probability claimed", {min: 0, max: 1, axisLabel: {color: c.soft, formatter: percent}}),
      yAxis: upright(c, "right", {min: 0, max: 1, axisLabel: {color: c.soft, formatter: percent}}),
      series: [diagonal(c, 0, 1), line(c, "right", data.calibration, c.blue, {showSymbol: true, symbol: "circle", symbolSize: 8})]
    }),
    confidence: c => frame(c, {
      tooltip: Object.assign(frame(c, {}).tooltip, {trigger: "axis", axisPointer: {type: "shadow"}}),
      xAxis: axis(c, "probability claimed", {type: "category", data: data.confidence.map(b => b[0]), splitLine: {show: false},
                                             axisLabel: {color: c.soft, hideOverlap: true}}),
      yAxis: upright(c, "samples", {scale: false}),
      series: [{type: "bar", name: "samples", data: data.confidence.map(b => b[1]), itemStyle: {color: c.blue, borderRadius: [3, 3, 0, 0]},
                barCategoryGap: "12%"}]
    }),
    scatter: (c, q) => frame(c, {
      tooltip: Object.assign(frame(c, {}).tooltip, {
        formatter: p => `true ${figure(p.value[0])}<br>predicted ${figure(p.value[1])}`
      }),
      xAxis: axis(c, "true", {min: q.range[0], max: q.range[1], axisLabel: inside(c)}),
      yAxis: upright(c, "predicted", {min: q.range[0], max: q.range[1], axisLabel: inside(c)}),
      series: [diagonal(c, q.range[0], q.range[1]),
               {type: "scatter", data: q.scatter, symbolSize: q.scatter.length > 600 ? 5 : 7,
                itemStyle: {color: c.blue, opacity: .55}}]
    }),
    residuals: (c, q) => frame(c, {
      tooltip: Object.assign(frame(c, {}).tooltip, {trigger: "axis", axisPointer: {type: "shadow"}}),
      xAxis: axis(c, "predicted minus true", {type: "category", data: q.residuals.map(b => figure(b[0])),
                                              splitLine: {show: false}, axisLabel: {color: c.soft, hideOverlap: true}}),
      yAxis: upright(c, "samples", {scale: false, minInterval: 1}),
      series: [{type: "bar", name: "samples", data: q.residuals.map(b => b[1]), barCategoryGap: "8%",
                itemStyle: {color: c.orange, borderRadius: [3, 3, 0, 0]}}]
    }),
    groups: (c, q) => frame(c, {
      tooltip: Object.assign(frame(c, {}).tooltip, {
        formatter: p => `mean prediction ${figure(p.value[0])}<br>mean truth ${figure(p.value[1])}`
      }),
      xAxis: axis(c, "mean prediction", {min: q.groupRange[0], max: q.groupRange[1], axisLabel: inside(c)}),
      yAxis: upright(c, "mean truth", {min: q.groupRange[0], max: q.groupRange[1], axisLabel: inside(c)}),
      series: [diagonal(c, ...q.groupRange),
               line(c, "truth", q.groups, c.blue, {showSymbol: true, symbol: "circle", symbolSize: 8})]
    })
  };

  function draw() {
    charts.splice(0).forEach(chart => chart.dispose());
    const c = colours();
    document.querySelectorAll(".chart").forEach(element => {
      const chart = echarts.init(element, null, {renderer: "svg"});
      chart.setOption(element.dataset.curve ? curve(c, data.curves[element.dataset.curve])
        : pictures[element.dataset.chart](c, data.quantities?.[element.dataset.quantity]));
      charts.push(chart);
    });
  }

  draw();
  dark.addEventListener("change", draw);
  window.addEventListener("resize", () => charts.forEach(chart => chart.resize()));
})();
