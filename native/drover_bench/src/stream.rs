//! The bytes of a connection, in the clear or by TLS.

use crate::frame::fault;
use mio::net::TcpStream;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{ClientConfig, ClientConnection, Resumption};
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{DigitallySignedStruct, Error, SignatureScheme};
use std::io::{self, ErrorKind, IoSlice, Read, Write};
use std::sync::Arc;

/// A socket of mio's. It does not block, and what TLS could not write yet waits for `push`.
pub(crate) struct Stream {
    pub(crate) socket: TcpStream,
    tls: Option<Box<ClientConnection>>,
}

/// How TLS is spoken, once for all connections: whoever the server is, since it is measured and not trusted, and each
/// connection with a handshake of its own.
pub(crate) fn tls_config() -> Arc<ClientConfig> {
    let provider = Arc::new(ring::default_provider());
    let anyone = Arc::new(Anyone(Arc::clone(&provider)));
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .expect("the provider has TLS 1.3")
        .dangerous()
        .with_custom_certificate_verifier(anyone)
        .with_no_client_auth();
    config.resumption = Resumption::disabled();
    Arc::new(config)
}

impl Stream {
    pub(crate) fn new(socket: TcpStream, config: Option<&Arc<ClientConfig>>) -> io::Result<Self> {
        let begin = |config| {
            let name = ServerName::try_from("localhost").expect("is a name");
            ClientConnection::new(Arc::clone(config), name).map(Box::new)
        };
        let tls = config.map(begin).transpose().map_err(io::Error::other)?;
        Ok(Self { socket, tls })
    }

    /// A read that was short left nothing behind: with TLS there may be another record.
    pub(crate) fn reads_all(&self) -> bool {
        self.tls.is_none()
    }

    /// Writes what TLS still has to write, as far as the kernel takes it.
    pub(crate) fn push(&mut self) -> io::Result<()> {
        let Some(tls) = &mut self.tls else {
            return Ok(());
        };
        while tls.wants_write() {
            match tls.write_tls(&mut self.socket) {
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    pub(crate) fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        let Some(tls) = &mut self.tls else {
            return self.socket.write_vectored(slices);
        };
        let written = tls.writer().write_vectored(slices)?;
        self.push()?;
        if written == 0 {
            return Err(ErrorKind::WouldBlock.into());
        }
        Ok(written)
    }

    /// Writes what is so short that it always finds room.
    pub(crate) fn write_short(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self.write_vectored(&[IoSlice::new(bytes)])? {
            written if written == bytes.len() => Ok(()),
            _ => Err(fault("the kernel had no room for a few bytes")),
        }
    }

    pub(crate) fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let Some(tls) = &mut self.tls else {
            return self.socket.read(buffer);
        };
        loop {
            match tls.reader().read(buffer) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(0),
                read => return read,
            }
            // The end of the socket shows in the next turn.
            tls.read_tls(&mut self.socket)?;
            tls.process_new_packets()
                .map_err(|error| fault(error.to_string()))?;
            while tls.wants_write() && tls.write_tls(&mut self.socket).is_ok() {}
        }
    }
}

/// Takes any certificate. That it is the server's own key that signs is still checked, since a client would.
#[derive(Debug)]
struct Anyone(Arc<CryptoProvider>);

impl ServerCertVerifier for Anyone {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _ocsp: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _certificate: &CertificateDer<'_>,
        _signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(Error::General("only TLS 1.3 is spoken".into()))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, certificate, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
