//go:build desktop && linux

package app

/*
#cgo pkg-config: gtk+-3.0 webkit2gtk-4.1
#include <gtk/gtk.h>
#include <webkit2/webkit2.h>

static void adjudge_zoom_in(GtkWidget *widget, gpointer level) {
	if (WEBKIT_IS_WEB_VIEW(widget)) {
		webkit_web_view_set_zoom_level(WEBKIT_WEB_VIEW(widget), *(double *)level);
	} else if (GTK_IS_CONTAINER(widget)) {
		gtk_container_forall(GTK_CONTAINER(widget), adjudge_zoom_in, level);
	}
}

static gboolean adjudge_zoom_all(gpointer level) {
	GList *windows = gtk_window_list_toplevels();
	for (GList *at = windows; at != NULL; at = at->next) {
		adjudge_zoom_in(GTK_WIDGET(at->data), level);
	}
	g_list_free(windows);
	g_free(level);
	return G_SOURCE_REMOVE;
}

static void adjudge_zoom(double level) {
	double *copy = g_new(double, 1);
	*copy = level;
	g_idle_add(adjudge_zoom_all, copy);
}
*/
import "C"

// zoomView sets the webview's own zoom, under which a page is laid out as in a
// narrower window. Wails hands the webview to nobody, so it is found among the
// program's windows, in GTK's own thread.
func zoomView(level float64) bool {
	C.adjudge_zoom(C.double(level))
	return true
}
