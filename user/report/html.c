/* SPDX-License-Identifier: GPL-2.0-or-later */
/* html.c - see html.h. */
#include "report/html.h"

#include <string.h>

#include "base/text.h"

static const char style[] =
	":root{color-scheme:light dark}"
	"body{font:16px/1.5 'DejaVu Sans',Verdana,Arial,sans-serif;max-width:62em;margin:2em auto;"
	"padding:0 1em;color:#222;background:#fff}"
	"h1{font-size:1.7em;line-height:1.2}h2{font-size:1.3em;margin-top:1.8em;"
	"border-bottom:1px solid #ccc}h3{font-size:1.05em}"
	"img{max-width:100%;height:auto;border:1px solid #ddd;background:#fff}"
	"figure{margin:1.5em 0}figcaption{color:#666;font-size:.9em}"
	"table{border-collapse:collapse;margin:1em 0;font-variant-numeric:tabular-nums}"
	"th,td{padding:.2em .7em;border-bottom:1px solid "
	"#ddd;vertical-align:top}th:not([align]){text-align:left}"
	"th{border-bottom:2px solid #888}.n{text-align:right;white-space:nowrap}"
	"pre{overflow-x:auto;background:#f5f5f5;padding:.8em;font-size:.85em;line-height:1.35}"
	"code{background:#f5f5f5;padding:0 .2em}pre code{padding:0}"
	".wide{overflow-x:auto;font-size:.8em}summary{cursor:pointer}"
	"@media(prefers-color-scheme:dark){body{background:#1b1b1b;color:#e4e4e4}"
	"pre,code{background:#2a2a2a}th,td{border-color:#444}h2{border-color:#555}"
	"figcaption{color:#aaa}a{color:#8cb4ff}}"
	"@media print{body{max-width:none;margin:0;font-size:11pt;background:#fff;color:#000}"
	"figure,table,pre{break-inside:avoid}h1,h2,h3{break-after:avoid}"
	"pre{white-space:pre-wrap;background:none}details{display:none}}";

void html_text(FILE *out, const char *text)
{
	text_write_xml(out, text);
}

void html_begin(FILE *out, const char *title)
{
	fputs("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
	      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
	      "img-src data:; style-src 'unsafe-inline'\">\n"
	      "<meta name=\"viewport\" content=\"width=device-width\">\n<title>",
	      out);
	html_text(out, title);
	fprintf(out, "</title>\n<style>%s</style>\n</head>\n<body>\n", style);
}

void html_end(FILE *out)
{
	fputs("</body>\n</html>\n", out);
}

void html_element(FILE *out, const char *tag, const char *text)
{
	fprintf(out, "<%s>", tag);
	html_text(out, text);
	fprintf(out, "</%s>\n", tag);
}

void html_cell(FILE *out, const char *text)
{
	size_t digits = strspn(text, "+-.0123456789");

	fputs(digits && strlen(text) - digits <= 3 ? "<td class=\"n\">" : "<td>", out);
	html_text(out, text);
	fputs("</td>", out);
}

void html_base64(FILE *out, const char *bytes, size_t len)
{
	static const char letter[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const unsigned char *at = (const unsigned char *)bytes;

	for (; len >= 3; len -= 3, at += 3) {
		fputc(letter[at[0] >> 2], out);
		fputc(letter[(at[0] & 3) << 4 | at[1] >> 4], out);
		fputc(letter[(at[1] & 15) << 2 | at[2] >> 6], out);
		fputc(letter[at[2] & 63], out);
	}
	if (len == 0)
		return;
	fputc(letter[at[0] >> 2], out);
	fputc(letter[(at[0] & 3) << 4 | (len == 2 ? at[1] >> 4 : 0)], out);
	fputc(len == 2 ? letter[(at[1] & 15) << 2] : '=', out);
	fputc('=', out);
}

void html_picture(FILE *out, const char *title, const char *svg, size_t len)
{
	fputs("<figure><img alt=\"", out);
	html_text(out, title);
	fputs("\" src=\"data:image/svg+xml;base64,", out);
	html_base64(out, svg, len);
	fputs("\"><figcaption>", out);
	html_text(out, title);
	fputs("</figcaption></figure>\n", out);
}
