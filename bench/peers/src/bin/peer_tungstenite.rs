//! An echo server on tokio-tungstenite, forwarding its stream into its sink: replies are flushed when no more messages wait.

use futures_util::{StreamExt, TryStreamExt, future};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::accept_async;

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let listener = TcpListener::from_std(drover_bench_peers::listen()?)?;
    loop {
        let (stream, _) = listener.accept().await?;
        tokio::spawn(echo(stream));
    }
}

async fn echo(stream: TcpStream) {
    let _ = stream.set_nodelay(true);
    if let Ok(socket) = accept_async(stream).await {
        let (sink, stream) = socket.split();
        let messages =
            stream.try_filter(|message| future::ready(message.is_text() || message.is_binary()));
        let _ = messages.forward(sink).await;
    }
}
