/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * export.c - opening, appending and closing, the same for every format.
 *
 * A new format is a file beside this one and a line in the list below. (OpenTelemetry and Prometheus belong
 * here.)
 */
#include "export/export.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "endpoint/endpoint.h"

const struct export_format *const export_formats[] = {
	&export_csv, &export_jsonl, &export_summary, &export_svg, &export_perfetto, NULL,
};

static int fail(int r, char *error, const char *path, const char *what)
{
	if (error)
		snprintf(error, EXPORT_ERROR_MAX, "%s: %s", path, what);
	return r;
}

static bool ends_in_newline(FILE *file)
{
	return fseek(file, -1, SEEK_END) == 0 && fgetc(file) == '\n';
}

/* An empty file is as good as none. */
static int check_file_to_continue(const struct export_format *format, FILE *file, const char *path,
				  bool *ret_continues, char *error)
{
	_cleanup_(freep) char *line = NULL;
	size_t size = 0;
	ssize_t len;

	rewind(file);
	len = getline(&line, &size, file);
	if (len <= 0) {
		*ret_continues = false;
		return 0;
	}
	if (line[len - 1] == '\n')
		line[len - 1] = '\0';
	if (!format->is_header(line))
		return fail(-EMEDIUMTYPE, error, path,
			    "can't append: it begins with another header, so it is another kind of "
			    "file or another schema version");
	if (!ends_in_newline(file))
		return fail(-EBADMSG, error, path, "can't append: its last line is cut off");
	*ret_continues = true;
	return 0;
}

static int open_to_append(const struct export_format *format, const char *path, FILE **ret_file,
			  bool *ret_continues, char *error)
{
	_cleanup_(fclosep) FILE *file = NULL;
	int r;

	if (!format->appends)
		return fail(-ENOTSUP, error, path, "this kind of file can't be appended to");
	file = fopen(path, "a+e");
	if (!file)
		return fail(-errno, error, path, strerror(errno));
	r = check_file_to_continue(format, file, path, ret_continues, error);
	if (r < 0)
		return r;
	fseek(file, 0, SEEK_END);
	*ret_file = TAKE_PTR(file);
	return 0;
}

static int open_file(const struct export_format *format, const char *path, unsigned int flags,
		     FILE **ret_file, bool *ret_continues, char *error)
{
	FILE *file;

	if (flags & EXPORT_APPEND && strcmp(path, "-"))
		return open_to_append(format, path, ret_file, ret_continues, error);
	if (strcmp(path, "-")) {
		file = fopen(path, "we");
	} else {
		int fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);

		file = fd < 0 ? NULL : fdopen(fd, "w");
	}
	if (!file)
		return fail(-errno, error, path, strerror(errno));
	*ret_file = file;
	*ret_continues = false;
	return 0;
}

int export_open(const struct export_format *format, const char *path, unsigned int flags,
		struct export **ret_export, char *error)
{
	_cleanup_(export_freep) struct export *export = calloc(1, format->size);
	int r;

	if (!export)
		return fail(-ENOMEM, error, path, "no memory");
	export->format = format;
	r = open_file(format, path, flags, &export->out, &export->continues, error);
	if (r < 0)
		return r;
	r = format->begin_file ? format->begin_file(export) : 0;
	if (r < 0)
		return fail(r, error, path, strerror(-r));
	*ret_export = TAKE_PTR(export);
	return 0;
}

int export_begin_run(struct export *export, const struct export_run *run)
{
	if (export->run)
		return -EALREADY;
	export->run = run;
	return export->format->begin_run ? export->format->begin_run(export) : 0;
}

int export_chain(struct export *export, const struct chain *chain)
{
	if (!export->run)
		return -EINVAL;
	return export->format->chain ? export->format->chain(export, chain) : 0;
}

int export_end_run(struct export *export)
{
	int r = export->format->end_run ? export->format->end_run(export) : 0;

	export->run = NULL;
	if (fflush(export->out) && r == 0)
		r = -errno;
	return r;
}

int export_close(struct export *export)
{
	int r = export->format->end_file ? export->format->end_file(export) : 0;

	if (r == 0 && ferror(export->out))
		r = -EIO;
	if (fclose(export->out) && r == 0)
		r = -errno;
	export->out = NULL;
	export_free(export);
	return r;
}

void export_free(struct export *export)
{
	if (!export)
		return;
	if (export->format->release)
		export->format->release(export);
	if (export->out)
		fclose(export->out);
	free(export);
}

const char *export_endpoint_name(const struct export_run *run, uint32_t id,
				 char text[EXPORT_NAME_MAX])
{
	const char *name = run->endpoint_name ? run->endpoint_name(run->ctx, id) : NULL;

	if (name && name[0])
		return name;
	name = endpoint_reserved_name(id);
	if (name)
		return name;
	snprintf(text, EXPORT_NAME_MAX, "#%" PRIu32, id);
	return text;
}
