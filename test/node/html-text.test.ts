import { describe, expect, it } from "vitest";
import { htmlToText } from "../../src/catalog/import/read/html-text.ts";

describe("plain text of HTML", () => {
  it.each([
    ["<p>One</p>\n\n<p>Two</p>", "One\n\nTwo"],
    ["<h2>Head</h2><p>A<br>B</p>", "Head\n\nA\nB"],
    ["x<br><br><br>y", "x\n\ny"],
    ["<div>a</div><div>b</div>text<hr>more", "a\nb\ntext\n\nmore"],
    ["<p>a\n  b</p>", "a b"],
    ["<pre>a\n  b</pre>c\nd", "a\nb\n\nc d"],
    ["<b>x</b>y<span> z</span>", "xy z"],
    ["<p></p><p> </p>a<p>&nbsp;</p>", "a"],
  ])("has the lines that a browser would show: %j", (html, text) => {
    expect(htmlToText(html)).toBe(text);
  });

  it.each([
    ["<ul><li>a</li><li>b<ul><li>c</li></ul></li></ul>x", "* a\n* b\n* c\n\nx"],
    ["<ol><li>a<ul><li>b</li></ul></li><li>c</li></ol>", "1. a\n* b\n2. c"],
    ["<ul><li><p>a</p></li><li></li><li><p>b</p><p>c</p></li></ul>", "* a\n* b\nc"],
    ["<li>a</li><li>b</li>", "a\nb"],
    ["<dl><dt>Term</dt><dd>Text</dd></dl>", "Term\nText"],
    ["<table><tr><th>Size</th><th>cm</th></tr><tr><td>M</td><td>70</td></tr></table>", "Size cm\nM 70"],
  ])("keeps the entries of a list and the rows of a table apart: %j", (html, text) => {
    expect(htmlToText(html)).toBe(text);
  });

  it.each([
    ["a<script>x()</script>b<style>p{}</style>c<!-- d -->", "abc"],
    ["<template>a</template><b>b</b>", "b"],
    ["<a href='https://x.example'>link</a><img alt='i' src='i.png'>", "link"],
    ["</ul></li></pre></script>q\nr", "q r"],
  ])("leaves out what a browser does not show: %j", (html, text) => {
    expect(htmlToText(html)).toBe(text);
  });

  it.each([
    ["<i>Salt</i> &amp; pepper &euro;5 &lt;b&gt;", "Salt & pepper €5 <b>"],
    ["a &amp; b\nc &nbsp; d &#8364; &#x20AC; &unknown;", "a & b\nc d € € &unknown;"],
    ["a < b\nand 7 > 3", "a < b\nand 7 > 3"],
  ])("decodes entities: %j", (html, text) => {
    expect(htmlToText(html)).toBe(text);
  });

  it.each(["<b>", "<ul><li>", "<p>", "</b>", "<", "&", "<br>", "<table><tr><td>", "<!--", "<pre>\n"])(
    "reads the longest run of %j in a moment, and leaves a longer one as it is",
    (piece) => {
      const run = (length: number) => `<i>${piece.repeat(length)}`.slice(0, length);
      const { user } = process.cpuUsage();
      htmlToText(run(200_000));
      expect(process.cpuUsage().user - user).toBeLessThan(1_000_000);
      expect(htmlToText(run(200_001))).toHaveLength(200_001);
    },
  );
});
