//go:build desktop

package app

import (
	"context"
	_ "embed" // for the window's script
	"fmt"
	"os"
	"path/filepath"
	goruntime "runtime"
	"sync"

	"github.com/spf13/cobra"
	"github.com/wailsapp/wails/v2"
	"github.com/wailsapp/wails/v2/pkg/menu"
	"github.com/wailsapp/wails/v2/pkg/options"
	"github.com/wailsapp/wails/v2/pkg/options/assetserver"
	"github.com/wailsapp/wails/v2/pkg/options/linux"
	"github.com/wailsapp/wails/v2/pkg/runtime"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/web"
)

// This is the only file that knows Wails. Wails is used as a shell: the window
// shows the server of this very process over loopback, because under Wails' own
// scheme cookies, redirects, WebSockets, downloads and uploads do not work. So
// there are no bindings either: what a page may ask of the window goes through
// web.Native like every other request.

// desktopScript runs on every page that the window has loaded.
//
//go:embed desktop.js
var desktopScript string

// windowCommand opens the window. Started without a command, a build that has
// one opens it, too.
func windowCommand() *cobra.Command {
	return desktopCommand(func(dir string) nativeWindow { return newWindow(dir) })
}

// window is the one window. It implements web.Native.
type window struct {
	dir string

	mu    sync.Mutex
	ctx   context.Context // Wails' own, set when the window is there
	state windowState
}

var _ nativeWindow = (*window)(nil)

// newWindow prepares the window of a data directory; show opens it.
func newWindow(dir string) *window {
	return &window{dir: dir, state: readWindowState(dir)}
}

// show opens the window and returns when it was closed, by the person or by the
// signals at which Wails closes it. The doorway starts the server and signs the
// window in.
func (w *window) show(d *doorway) error {
	if goruntime.GOOS == "linux" && os.Getenv("WEBKIT_DMABUF_RENDERER_FORCE_SHM") == "" {
		// Without it the window stays blank on some Wayland and NVIDIA systems.
		if err := os.Setenv("WEBKIT_DMABUF_RENDERER_FORCE_SHM", "1"); err != nil {
			return err
		}
	}
	d.port = w.state.Port
	d.chosen = w.remember
	d.open(d.port)

	start := options.Normal
	if w.state.Maximised {
		start = options.Maximised
	}
	return wails.Run(&options.App{
		Title:            "Adjudge",
		Width:            w.state.Width,
		Height:           w.state.Height,
		MinWidth:         320,
		MinHeight:        480,
		WindowStartState: start,
		BackgroundColour: options.NewRGB(0xf6, 0xf7, 0xf8), // of the first frame, before the page is there
		AssetServer:      &assetserver.Options{Handler: d},
		Menu:             applicationMenu(),
		// Copy and paste by mouse belong to a tool in which people read and write.
		EnableDefaultContextMenu: true,
		Linux:                    &linux.Options{ProgramName: "adjudge", WebviewGpuPolicy: linux.WebviewGpuPolicyOnDemand},
		OnStartup: func(own context.Context) {
			w.mu.Lock()
			w.ctx = own
			w.mu.Unlock()
		},
		OnDomReady:    func(own context.Context) { runtime.WindowExecJS(own, desktopScript) },
		OnBeforeClose: w.beforeClose,
	})
}

// applicationMenu is what macOS needs for its shortcuts to work at all; the
// other systems have none.
func applicationMenu() *menu.Menu {
	if goruntime.GOOS != "darwin" {
		return nil
	}
	return menu.NewMenuFromItems(menu.AppMenu(), menu.EditMenu(), menu.WindowMenu())
}

// beforeClose notes how large the window was; the next one opens like it.
func (w *window) beforeClose(ctx context.Context) (prevent bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.state.Maximised = runtime.WindowIsMaximised(ctx)
	if !w.state.Maximised {
		w.state.Width, w.state.Height = runtime.WindowGetSize(ctx)
	}
	if err := w.state.write(w.dir); err != nil {
		fmt.Fprintln(os.Stderr, "adjudge: the window's size is not remembered:", err)
	}
	return false
}

// remember keeps the port: stored answers of the browser belong to it.
func (w *window) remember(port int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.state.Port = port
	if err := w.state.write(w.dir); err != nil {
		fmt.Fprintln(os.Stderr, "adjudge: the window's port is not remembered:", err)
	}
}

// own returns Wails' context, which its functions want instead of a receiver.
func (w *window) own() (context.Context, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.ctx == nil {
		return nil, fault.New(fault.Unavailable, "The window is not open yet.")
	}
	return w.ctx, nil
}

// SaveAs shows the system's save dialog.
func (w *window) SaveAs(_ context.Context, name string) (web.NativeFile, error) {
	ctx, err := w.own()
	if err != nil {
		return nil, err
	}
	path, err := runtime.SaveFileDialog(ctx, runtime.SaveDialogOptions{
		DefaultDirectory: downloadFolder(), DefaultFilename: name, CanCreateDirectories: true,
	})
	if err != nil {
		return nil, fault.As(fault.Unavailable, err, "The save dialog could not be shown.")
	}
	if path == "" {
		return nil, nil
	}
	file, err := createChosen(path)
	if err != nil {
		return nil, fault.As(fault.Invalid, err, "Nothing can be written to %s. Choose another folder.", filepath.Dir(path))
	}
	return file, nil
}

// downloadFolder is where the dialog starts; it must exist.
func downloadFolder() string {
	home, err := os.UserHomeDir()
	if err != nil {
		return ""
	}
	for _, dir := range []string{filepath.Join(home, "Downloads"), home} {
		if info, err := os.Stat(dir); err == nil && info.IsDir() {
			return dir
		}
	}
	return ""
}

// OpenURL hands a link to the system's browser.
func (w *window) OpenURL(_ context.Context, url string) error {
	ctx, err := w.own()
	if err != nil {
		return err
	}
	runtime.BrowserOpenURL(ctx, url)
	return nil
}

// Raise brings the window to the front.
func (w *window) Raise(context.Context) error {
	ctx, err := w.own()
	if err != nil {
		return err
	}
	runtime.WindowUnminimise(ctx)
	runtime.WindowShow(ctx)
	// Window managers keep others from stealing the focus; this they let pass.
	runtime.WindowSetAlwaysOnTop(ctx, true)
	runtime.WindowSetAlwaysOnTop(ctx, false)
	return nil
}
